import type { MinionCallState } from "../protocol/jobs";

/** How many minions stand how, as people read it. */
export interface StateCount {
  /** `succeeded`, `failed`, ..., or that commands ended with another exit status than 0. */
  name: string;
  count: number;
}

/** Commands that ran, but ended with another exit status than 0, are none of those that succeeded; none are left out. */
export function stateCounts(
  counts: Partial<Record<MinionCallState, number>>,
  failedCommands = 0,
): StateCount[] {
  return Object.entries(counts)
    .flatMap(([name, count]): StateCount[] =>
      name === "succeeded"
        ? [
            { name, count: count - failedCommands },
            { name: "with another exit status than 0", count: failedCommands },
          ]
        : [{ name, count }],
    )
    .filter(({ count }) => count > 0);
}
