import { FuncError } from "../common/errors";
import { fnmatch, isPattern } from "./fnmatch";
import { nearestNames } from "./nearestNames";

/** Long enough for ten thousand names. */
const MAX_SPEC_LENGTH = 1_000_000;

/**
 * The names that a target expression means: names and shell patterns, separated by ";", without case.
 * Sorted, each once. Throws FuncError "bad-argument" where the expression is empty, and "no-match" where
 * any part of it matches nothing: a forgotten or misspelt host must not go unnoticed.
 */
export function matchTargets(spec: string, names: readonly string[]): string[] {
  if (spec.length > MAX_SPEC_LENGTH) {
    throw new FuncError(
      "bad-argument",
      `The target expression is longer than ${MAX_SPEC_LENGTH} characters.`,
      "Use patterns instead of single names.",
    );
  }
  const parts = new Set(
    spec
      .split(";")
      .map((part) => part.trim())
      .filter((part) => part !== ""),
  );
  if (parts.size === 0) {
    throw new FuncError(
      "bad-argument",
      "The target expression is empty.",
      'Name minions, like "web1;web2", or use a pattern, like "web*".',
    );
  }
  const known = new Set(names);
  const matched = new Set<string>();
  for (const part of parts) {
    const found = namesOf(part, names, known);
    if (found.length === 0) throw noMatch(part, names);
    for (const name of found) matched.add(name);
  }
  return [...matched].sort();
}

function namesOf(part: string, names: readonly string[], known: ReadonlySet<string>): string[] {
  if (isPattern(part)) return names.filter(fnmatch(part));
  const name = part.toLowerCase();
  return known.has(name) ? [name] : [];
}

function noMatch(part: string, names: readonly string[]): FuncError {
  const shown = part.length > 100 ? `${part.slice(0, 100)}...` : part;
  return new FuncError(
    "no-match",
    `Can't find any minions matching "${shown}".${hintFor(part, names)}`,
    names.length === 0
      ? "No minion has been enrolled yet: create a join token and run `funcd join` on the host."
      : "List the minions to see their names.",
  );
}

/** What may be wrong with a part that matches nothing, with a space before it; empty where unknown. */
function hintFor(part: string, names: readonly string[]): string {
  if (part.startsWith("!")) return ` Names are not negated with "!".`;
  if (/[,\s]/.test(part)) return ` Names are separated by ";", such as "web1;db1".`;
  const nearest = nearestNames(part, names);
  return nearest.length > 0 ? ` Did you mean ${nearest.join(", ")}?` : "";
}
