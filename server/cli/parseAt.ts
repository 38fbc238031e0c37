import { parseMinionName } from "../common/minionName";
import type { OptionRule } from "./optionReader";
import { usage } from "./parseSteps";

/** At whose CA: the path of a sub-overlord; that of this overlord without. */
export interface CaAt {
  at?: string[];
}

/** Longer ones are taken for a mistake. */
const MAX_HOPS = 64;

/** `--at mid1/mid3`. */
export function atRule(into: CaAt): OptionRule {
  return { names: ["--at"], kind: "value", set: (value) => (into.at = parsePath(value)) };
}

function parsePath(text: string): string[] {
  const names = text.split("/");
  // an unset variable must not mean this overlord
  if (names.some((name) => name === "") || names.length > MAX_HOPS) {
    throw usage("--at needs the path of a sub-overlord, such as mid1 or mid1/mid3.");
  }
  return names.map((name) => parseMinionName(name));
}
