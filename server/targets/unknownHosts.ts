import { FuncError } from "../common/errors";
import { isPattern } from "./fnmatch";
import { nearestNames } from "./nearestNames";

/** So many hosts are named in an error. */
const MAX_NAMED = 5;

/** The entries of a group that are names, and of no minion. */
export function unknownHosts(
  entries: readonly string[],
  minions: { has(name: string): boolean },
): string[] {
  return entries.filter((entry) => !isPattern(entry) && !minions.has(entry));
}

/** Error "no-match" for a group with hosts that are no minions of this overlord: a misspelt one would be left out, or called. */
export function noMember(
  group: string,
  strangers: readonly string[],
  names: readonly string[],
): FuncError {
  const named = strangers.slice(0, MAX_NAMED);
  const more = strangers.length - named.length;
  const quoted = named.map((host) => `"${host}"`).join(", ");
  const what =
    strangers.length === 1
      ? `${quoted}, which is no minion of this overlord`
      : `${strangers.length} hosts that are no minions of this overlord: ${quoted}${more > 0 ? ` and ${more} more` : ""}`;
  const nearest = [...new Set(named.flatMap((host) => nearestNames(host, names)))].slice(0, 3);
  const hint = nearest.length > 0 ? ` Did you mean ${nearest.join(", ")}?` : "";
  return new FuncError(
    "no-match",
    `The group "${group}" has ${what}.${hint}`,
    `Enrol ${strangers.length === 1 ? "it, or take it" : "them, or take them"} ` +
      `out: func group remove ${group} ${named.join(" ")}${more > 0 ? " ..." : ""}`,
  );
}

/** Error for a group with a name that several hosts have; `why` is that of the name alone. */
export function ambiguousMember(group: string, entry: string, why: FuncError): FuncError {
  return new FuncError(
    why.reason,
    `The group "${group}" does not tell whom it means: ${why.message}`,
    `Put one of these names in the place of ${entry}: func group add ${group} NAME, then func group remove ${group} ${entry}`,
  );
}
