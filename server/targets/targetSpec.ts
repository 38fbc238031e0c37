import { FuncError } from "../common/errors";
import { fnmatch, isPattern } from "./fnmatch";
import { nearestNames } from "./nearestNames";
import { ambiguousMember, noMember, unknownHosts } from "./unknownHosts";

/** Long enough for ten thousand names. */
const MAX_SPEC_LENGTH = 1_000_000;
/** Names have at most 253 characters; a longer pattern only costs time. */
const MAX_PATTERN_LENGTH = 1_000;
const MAX_SHOWN = 100;
const GROUP_PART = /(?:^|;)\s*@/;

/** Hosts and globs of each group, by its name in lower case. */
export type Groups = ReadonlyMap<string, readonly string[]>;

/** Which minions are meant: those of `spec` without those of `exclude`. */
export interface TargetSpec {
  spec: string;
  exclude?: string | undefined;
}

/** What the names and globs of target expressions mean. */
export interface HostNames {
  /** In lower case. */
  readonly all: readonly string[];
  /** The host of that name; undefined where there is none. May throw FuncError "conflict" where several have it. */
  one: (name: string) => string | undefined;
  /** Those that the glob means. `excluding`: they are to be left out. */
  many: (glob: string, excluding: boolean) => string[];
}

/** Hosts that have no other names than these, in lower case. */
export function plainNames(all: readonly string[]): HostNames {
  const known = new Set(all);
  return {
    all,
    one: (name) => (known.has(name.toLowerCase()) ? name.toLowerCase() : undefined),
    many: (glob) => all.filter(fnmatch(glob)),
  };
}

const NO_GROUPS: Groups = new Map();

/**
 * The names that a target expression means: names, shell patterns, "@group" and "@group:pattern", separated
 * by ";", without case; less those that `exclude`, written the same way, means. Sorted, each once. Throws
 * FuncError "bad-argument" where an expression is empty, and "no-match" where any part of either matches
 * nothing: a misspelt host must not go unnoticed, and a misspelt exclude would call too many. The same
 * goes for the names in a group; a glob in it may match nothing, as long as the whole group matches one. Throws what
 * `names` throws.
 */
export function matchTargets(
  { spec, exclude }: TargetSpec,
  names: readonly string[] | HostNames,
  groups: Groups = NO_GROUPS,
): string[] {
  const minions: Minions = { names: "all" in names ? names : plainNames(names), groups };
  const matched = matchParts(partsOf(spec, "target"), minions, false);
  if (exclude === undefined) return [...matched].sort();
  const excluded = matchParts(partsOf(exclude, "exclude"), minions, true);
  const left = [...matched].filter((name) => !excluded.has(name));
  if (left.length > 0) return left.sort();
  throw new FuncError(
    "no-match",
    `"${shown(exclude)}" excludes every minion that "${shown(spec)}" matches (${matched.size}).`,
    "Exclude fewer, or list what each of the two matches.",
  );
}

/** Whether groups have to be known to match it. */
export function usesGroups({ spec, exclude }: TargetSpec): boolean {
  return GROUP_PART.test(spec) || (exclude !== undefined && GROUP_PART.test(exclude));
}

interface Minions {
  names: HostNames;
  groups: Groups;
}

function partsOf(expression: string, what: "target" | "exclude"): Set<string> {
  if (expression.length > MAX_SPEC_LENGTH) {
    throw new FuncError(
      "bad-argument",
      `The ${what} expression is longer than ${MAX_SPEC_LENGTH} characters.`,
      "Use patterns instead of single names.",
    );
  }
  const parts = new Set(
    expression
      .split(";")
      .map((part) => part.trim())
      .filter((part) => part !== ""),
  );
  for (const part of parts) {
    if (part.length <= MAX_PATTERN_LENGTH) continue;
    throw new FuncError(
      "bad-argument",
      `"${shown(part)}" is longer than the ${MAX_PATTERN_LENGTH} characters that a name or pattern may have.`,
      'Separate names by ";".',
    );
  }
  if (parts.size > 0) return parts;
  throw new FuncError(
    "bad-argument",
    `The ${what} expression is empty.`,
    'Name minions, like "web1;web2", or use a pattern, like "web*".',
  );
}

function matchParts(parts: Iterable<string>, minions: Minions, excluding: boolean): Set<string> {
  const matched = new Set<string>();
  for (const part of parts) {
    const found = part.startsWith("@")
      ? groupMembers(part, minions, excluding)
      : namesOf(part, minions.names, excluding);
    if (found.length === 0) throw noMatch(part, minions, excluding);
    for (const name of found) matched.add(name);
  }
  return matched;
}

function namesOf(part: string, names: HostNames, excluding: boolean): string[] {
  if (isPattern(part)) return names.many(part, excluding);
  const name = names.one(part);
  return name === undefined ? [] : [name];
}

/** "@group" or "@group:pattern". */
function groupMembers(part: string, { names, groups }: Minions, excluding: boolean): string[] {
  const { group, pattern } = splitGroup(part);
  const entries = groups.get(group.toLowerCase());
  if (!entries) throw noGroup(group, groups, excluding);
  const one = (entry: string): string | undefined => memberOf(group.toLowerCase(), entry, names);
  // where there are no minions at all, that is what to say
  if (names.all.length > 0) {
    const strangers = unknownHosts(entries, { has: (entry) => one(entry) !== undefined });
    if (strangers.length > 0) throw noMember(group.toLowerCase(), strangers, names.all);
  }
  const members = new Set(entries.flatMap((entry) => namesOf(entry, names, excluding)));
  if (pattern === undefined) return [...members];
  return namesOf(pattern, names, excluding).filter((name) => members.has(name));
}

function memberOf(group: string, entry: string, names: HostNames): string | undefined {
  try {
    return names.one(entry);
  } catch (error) {
    throw error instanceof FuncError ? ambiguousMember(group, entry, error) : error;
  }
}

function splitGroup(part: string): { group: string; pattern: string | undefined } {
  const colon = part.indexOf(":");
  const group = part.slice(1, colon < 0 ? undefined : colon).trim();
  const pattern = colon < 0 ? undefined : part.slice(colon + 1).trim();
  if (group !== "" && pattern !== "") return { group, pattern };
  throw new FuncError(
    "bad-argument",
    `"${shown(part)}" is not complete.`,
    'A group is written "@web", and a part of it "@web:web1*".',
  );
}

function noGroup(group: string, groups: Groups, excluding: boolean): FuncError {
  const nearest = nearestNames(group, [...groups.keys()]).map((name) => `@${name}`);
  const hint = nearest.length > 0 ? ` Did you mean ${nearest.join(", ")}?` : "";
  return new FuncError(
    "no-match",
    `There is no group "${shown(group)}"${excluding ? " to exclude" : ""}.${hint}`,
    groups.size === 0 ? "No group has been made yet." : "List the groups to see their names.",
  );
}

function noMatch(part: string, { names, groups }: Minions, excluding: boolean): FuncError {
  const hint = part.startsWith("@") ? groupHint(part, groups) : hintFor(part, names.all);
  return new FuncError(
    "no-match",
    excluding
      ? `Can't find any minions to exclude matching "${shown(part)}", and without it too many would be reached.${hint}`
      : `Can't find any minions matching "${shown(part)}".${hint}`,
    names.all.length === 0
      ? "No minion has been enrolled yet: create a join token and run `node funcd.js join TOKEN` on the host."
      : "List the minions to see their names.",
  );
}

/** What is in a group no minion of which was matched. */
function groupHint(part: string, groups: Groups): string {
  const { group } = splitGroup(part);
  const entries = groups.get(group.toLowerCase()) ?? [];
  return entries.length === 0
    ? ` The group is empty.`
    : ` The group has ${shown(entries.slice(0, 10).join(", "))}.`;
}

/** What may be wrong with a part that matches nothing, with a space before it; empty where unknown. */
function hintFor(part: string, names: readonly string[]): string {
  if (part.startsWith("!")) return ` Names are not negated with "!".`;
  if (/[,\s]/.test(part)) return ` Names are separated by ";", such as "web1;db1".`;
  const nearest = nearestNames(part, names);
  return nearest.length > 0 ? ` Did you mean ${nearest.join(", ")}?` : "";
}

function shown(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}...` : text;
}
