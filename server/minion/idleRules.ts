import { fnmatchCase } from "../targets/fnmatch";
import type { PlacedRule } from "./aclFiles";

/** So many tell that something is wrong; more would only hide the rest. */
const MAX_TOLD = 20;
/** Calls wait meanwhile. */
const MAX_LOOKED_AT = 10_000;

/**
 * What the rules say about methods that this minion does not have, with file and line: a misspelt rule allows
 * nothing, and says nothing of it. `methods`: the full names of all.
 */
export function idleRules(rules: readonly PlacedRule[], methods: readonly string[]): string[] {
  const told: string[] = [];
  let lookedAt = 0;
  for (const { file, methods: globs } of rules) {
    for (const { glob, line } of globs) {
      if (told.length === MAX_TOLD || lookedAt++ === MAX_LOOKED_AT) return told;
      if (methods.some(fnmatchCase(glob))) continue;
      const shown = glob.slice(0, 100).replace(/[^\x20-\x7e]/g, "?");
      told.push(`${file}:${line}: this minion has no method "${shown}"`);
    }
  }
  return told;
}
