import type { JobSummary, MinionResult } from "../protocol/jobs";
import type { JsonValue } from "../protocol/value";

/** The member of `--json` that is no host: names of hosts do not begin so. */
export const DELEGATION_MEMBER = "$delegation";

/** As `DELEGATION_MEMBER`, in jobs of which something was learnt after their end. */
export const LATER_MEMBER = "$later";

const SIGNED: Readonly<Record<NonNullable<MinionResult["signed"]>, string>> = {
  yes: "signed",
  first: "signed, by a key seen for the first time",
  no: "not signed",
};

/** A minion with the way to it and who vouches for its result: `web1 (via mid1/mid3, signed)`; its name, where called directly. */
export function nameWithWay({ minion, via = [], signed }: MinionResult): string {
  const parts = [
    ...(via.length > 0 ? [`via ${via.join("/")}`] : []),
    ...(signed === undefined ? [] : [SIGNED[signed]]),
  ];
  return parts.length === 0 ? minion : `${minion} (${parts.join(", ")})`;
}

/** What `--json` tells of a delegated job beside the results: the map file, where it is another, and each host's way. */
export function delegationJson(
  { mapFile }: Pick<JobSummary, "mapFile">,
  results: readonly MinionResult[],
): JsonValue {
  const minions = results.flatMap(({ minion, via, signed, failedHop }): [string, JsonValue][] => {
    if (via === undefined && signed === undefined) return [];
    const told = {
      via: via ?? [],
      ...(signed !== undefined && { signed }),
      ...(failedHop !== undefined && { failedHop }),
    };
    return [[minion, told]];
  });
  return { ...(mapFile !== undefined && { mapFile }), minions: Object.fromEntries(minions) };
}

/** What `--json` tells of calls that had ended otherwise than was known at their end; undefined where there are none. */
export function laterJson(results: readonly MinionResult[]): JsonValue | undefined {
  const words = results.flatMap(({ minion, later }): [string, JsonValue][] =>
    later ? [[minion, { ...later }]] : [],
  );
  return words.length > 0 ? Object.fromEntries(words) : undefined;
}
