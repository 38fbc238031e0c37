import {
  InputBoxValidationSeverity,
  l10n,
  ThemeIcon,
  type InputBoxValidationMessage,
  type QuickInputButton,
} from "vscode";
import { firstNames } from "../confirmation";
import { delegateByDefault } from "../delegateByDefault";
import { asFuncError, errorText } from "../errors";
import type { OverlordSession } from "../overlordSession";
import { askText, askTextOrButton } from "./askText";
import { BACK, type Answer, type StepPlace } from "./steps";

/** Two target expressions: who is meant, and who of them is left out. */
export interface Targets {
  spec: string;
  exclude?: string | undefined;
}

/**
 * Asks for a target expression, telling while one types how many minions it means. A button of the box
 * asks whom to leave out of it.
 */
export async function askTargets(
  session: OverlordSession,
  question: { title: string; value?: Partial<Targets>; place?: StepPlace },
): Promise<Answer<Targets>> {
  const { title, place } = question;
  const asked = new AskedTargets(session);
  let spec = question.value?.spec ?? "*";
  let exclude = question.value?.exclude;
  for (;;) {
    const leftOut = exclude;
    const answer = await askTextOrButton({
      place,
      // in the title as well, where the count below the box does not replace it
      title:
        leftOut === undefined
          ? l10n.t('{0}: which minions? Names, globs, @groups, separated by ";"', title)
          : l10n.t('{0}: which minions, without "{1}"?', title, leftOut),
      value: spec,
      button: leaveOutButton(leftOut),
      check: (text) =>
        text.trim() === "" ? l10n.t('Type a name, a glob, or "*" for all.') : undefined,
      inform: (text, signal) => matched(asked, { spec: text.trim(), exclude: leftOut }, signal),
    });
    if (answer === undefined || answer === BACK) return answer;
    spec = answer.text.trim();
    if (!answer.pressed) return { spec, exclude };
    const excluded = await askExclude(asked, title, { spec, exclude });
    if (excluded === undefined) return undefined;
    if (excluded !== BACK) exclude = excluded.trim() === "" ? undefined : excluded.trim();
  }
}

function leaveOutButton(leftOut: string | undefined): QuickInputButton {
  return leftOut === undefined
    ? { iconPath: new ThemeIcon("circle-slash"), tooltip: l10n.t("Leave Out Minions...") }
    : { iconPath: new ThemeIcon("circle-slash"), tooltip: l10n.t("Change Who Is Left Out...") };
}

function askExclude(
  asked: AskedTargets,
  title: string,
  { spec, exclude }: Targets,
): Promise<Answer<string>> {
  return askText({
    title: l10n.t('{0} on "{1}": which minions to leave out?', title, spec),
    placeholder: l10n.t("Names, globs, @groups; empty: none"),
    prompt: l10n.t("Enter takes it, empty leaves nobody out"),
    value: exclude ?? "",
    place: { canGoBack: true },
    inform: async (text, signal) =>
      text.trim() === ""
        ? undefined
        : leftOutOf(asked, { spec: spec === "" ? "*" : spec, exclude: text.trim() }, signal),
  });
}

/** "12 minions (3 left out): web1, web2 and 10 more". */
async function matched(
  asked: AskedTargets,
  { spec, exclude }: Targets,
  signal: AbortSignal,
): Promise<InputBoxValidationMessage | undefined> {
  return informed(async () => {
    const { names, leftOut } = await asked.match({ spec, exclude }, signal);
    const shown = firstNames(names);
    if (exclude === undefined) {
      return names.length === 1
        ? l10n.t("1 minion: {0}", shown)
        : l10n.t("{0} minions: {1}", names.length, shown);
    }
    return names.length === 1
      ? l10n.t("1 minion ({0} left out): {1}", leftOut.length, shown)
      : l10n.t("{0} minions ({1} left out): {2}", names.length, leftOut.length, shown);
  });
}

/** "Leaves out 3 of 15 minions: db1, db2, db3". */
async function leftOutOf(
  asked: AskedTargets,
  targets: Targets,
  signal: AbortSignal,
): Promise<InputBoxValidationMessage | undefined> {
  return informed(async () => {
    const { names, leftOut } = await asked.match(targets, signal);
    const all = names.length + leftOut.length;
    return leftOut.length === 0
      ? l10n.t("Leaves out none of {0} minions", all)
      : l10n.t("Leaves out {0} of {1} minions: {2}", leftOut.length, all, firstNames(leftOut));
  });
}

/** Asks the overlord whom expressions mean, as the call would. */
class AskedTargets {
  private delegate: Promise<boolean> | undefined;

  constructor(private readonly session: OverlordSession) {}

  async match(
    { spec, exclude }: Targets,
    signal: AbortSignal,
  ): Promise<{ names: readonly string[]; leftOut: readonly string[] }> {
    const { session } = this;
    const delegate = await (this.delegate ??= delegateByDefault(session));
    const { names } = await session.request(
      "minions/match",
      { spec, exclude, delegate },
      { signal },
    );
    if (exclude === undefined) return { names, leftOut: [] };
    const all = await session.request("minions/match", { spec, delegate }, { signal });
    const meant = new Set(names);
    return { names, leftOut: all.names.filter((name) => !meant.has(name)) };
  }
}

/** What to show below the box: a count, or why there is none, which keeps the text from being taken. */
async function informed(
  count: () => Promise<string>,
): Promise<InputBoxValidationMessage | undefined> {
  try {
    return { message: await count(), severity: InputBoxValidationSeverity.Info };
  } catch (error) {
    if (asFuncError(error).reason === "cancelled") return undefined;
    return { message: errorText(error), severity: InputBoxValidationSeverity.Error };
  }
}
