import { FuncError } from "../../common/errors";
import type { OverlordOptions } from "./overlordTypes";

/** Whether each is yes or no; what the others may be is for the overlord to say. */
const OPTIONS: { readonly [Name in keyof Required<OverlordOptions>]: "yes or no" | "other" } = {
  async: "yes or no",
  nforks: "other",
  exclude: "other",
  delegate: "yes or no",
  mapfile: "other",
  noglobs: "yes or no",
  timeoutMs: "other",
  deliveryLimitMs: "other",
  batch: "other",
  maxErrors: "other",
  home: "other",
  create: "yes or no",
  start: "yes or no",
};

/**
 * Throws FuncError "bad-argument" for options that there are not, which would change who is called, or how, without
 * a word, and for texts in the place of true and false.
 */
export function checkOptions(options: OverlordOptions): void {
  const kinds = new Map<string, string>(Object.entries(OPTIONS));
  for (const [name, value] of Object.entries(options)) {
    const kind = kinds.get(name);
    if (kind === undefined) {
      const all = [...kinds.keys()].join(", ");
      throw new FuncError(
        "bad-argument",
        `Overlord has no option ${JSON.stringify(name).slice(0, 100)}.`,
        `The options are ${all}.`,
      );
    }
    if (kind === "yes or no" && value !== undefined && typeof value !== "boolean") {
      throw new FuncError("bad-argument", `The option ${name} of Overlord is true or false.`);
    }
  }
}
