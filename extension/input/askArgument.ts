import { l10n, type QuickPickItem } from "vscode";
import { errorText } from "../errors";
import type { ArgumentDescription } from "../../server/protocol/methods";
import { parseArgument, type ParsedArgument } from "./argumentInput";
import { askPick } from "./askPick";
import { askText } from "./askText";
import { plainLabel } from "./plainLabel";
import { BACK, type Answer, type StepPlace } from "./steps";

interface ValueItem extends QuickPickItem {
  parsed: ParsedArgument;
}

/** For methods that declare no arguments (original modules): one line for all of them. */
export const UNDECLARED: ArgumentDescription = {
  name: "arguments",
  type: "list*",
  optional: true,
  description: "",
  untyped: true,
};

/** Asks for one argument by its declared type; `before` is what was typed for it at an earlier time. */
export async function askArgument(
  title: string,
  description: ArgumentDescription,
  place: StepPlace,
  before?: string,
): Promise<Answer<ParsedArgument>> {
  const values = choices(description);
  if (values) {
    // what was chosen before comes first
    const sorted = values.toSorted(
      (a, b) => Number(String(b) === before) - Number(String(a) === before),
    );
    const items: ValueItem[] = sorted.map((value) => ({
      label: plainLabel(String(value)),
      description: value === description.default ? l10n.t("default") : undefined,
      parsed: { skipped: false, value },
    }));
    if (description.optional) {
      items.push({ label: l10n.t("Leave it out"), parsed: { skipped: true } });
    }
    const picked = await askPick({ title, place, items, placeholder: promptOf(description) });
    return picked === undefined || picked === BACK ? picked : picked.parsed;
  }
  const text = await askText({
    title,
    place,
    prompt: promptOf(description),
    placeholder: placeholderOf(description),
    password: description.secret,
    value: before ?? initialText(description),
    check: (typed) => {
      try {
        parseArgument(description, typed);
        return undefined;
      } catch (error) {
        return errorText(error);
      }
    },
  });
  return text === undefined || text === BACK ? text : parseArgument(description, text);
}

function choices(
  description: ArgumentDescription,
): readonly (string | number | boolean)[] | undefined {
  if (description.type === "boolean") return [true, false];
  return description.options && description.options.length > 0 ? description.options : undefined;
}

function promptOf(description: ArgumentDescription): string {
  const { name, min, max, optional } = description;
  const parts = [description.description ? `${name}: ${description.description}` : name];
  if (min !== undefined || max !== undefined) {
    parts.push(l10n.t("from {0} to {1}", min ?? "−∞", max ?? "∞"));
  }
  if (optional) parts.push(l10n.t("Enter skips it"));
  return parts.join(" · ");
}

function placeholderOf(description: ArgumentDescription): string {
  switch (description.type) {
    case "list":
    case "list*":
      return l10n.t('a, b, c or ["a", "b"]');
    case "hash":
      return '{"key": "value"}';
    case "int":
    case "float":
    case "boolean":
    case "string":
      return description.default === undefined ? description.type : defaultText(description);
  }
}

function initialText(description: ArgumentDescription): string {
  return description.optional || description.default === undefined ? "" : defaultText(description);
}

function defaultText(description: ArgumentDescription): string {
  return description.secret ? "" : String(description.default ?? "");
}
