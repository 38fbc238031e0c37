import { FuncError } from "../../common/errors";
import type { OverlordOptions } from "./overlordTypes";

/** What is used here has to be right here; what the others may be is for the overlord to say. */
const OPTIONS: {
  readonly [Name in keyof Required<OverlordOptions>]: "yes or no" | "path" | "other";
} = {
  async: "yes or no",
  nforks: "other",
  exclude: "other",
  delegate: "yes or no",
  mapfile: "path",
  noglobs: "yes or no",
  timeoutMs: "other",
  deliveryLimitMs: "other",
  batch: "other",
  maxErrors: "other",
  home: "path",
  create: "yes or no",
  start: "yes or no",
};

/**
 * The options as they are now, each read once, the inherited ones too. Throws FuncError "bad-argument" for options that
 * there are not, which would change who is called, or how, without a word, for texts in the place of true and false,
 * and for what cannot be a path.
 */
export function checkedOptions(options: OverlordOptions): OverlordOptions {
  if (typeof options !== "object" || (options as object | null) === null) {
    throw new FuncError("bad-argument", "The options of Overlord are an object.");
  }
  const kinds = new Map<string, string>(Object.entries(OPTIONS));
  for (const name in options) {
    if (kinds.has(name)) continue;
    throw new FuncError(
      "bad-argument",
      `Overlord has no option ${JSON.stringify(name).slice(0, 100)}.`,
      `The options are ${[...kinds.keys()].join(", ")}.`,
    );
  }
  const given = new Map<string, unknown>();
  for (const [name, kind] of kinds) {
    const value: unknown = Reflect.get(options, name);
    if (value === undefined) continue;
    if (kind === "yes or no" && typeof value !== "boolean") {
      throw new FuncError("bad-argument", `The option ${name} of Overlord is true or false.`);
    }
    if (kind === "path" && typeof value !== "string") {
      throw new FuncError("bad-argument", `The option ${name} of Overlord is a path.`);
    }
    given.set(name, value);
  }
  return Object.fromEntries(given);
}
