import type { OverlordConnection } from "../client/connection";
import { FINAL_STATES, type MinionResult } from "../protocol/jobs";
import { firstNames } from "./firstNames";
import { timeText } from "./jobTable";

/**
 * Of a job that runs: the next hops that cannot be reached now, one line for each with how many wait behind it; empty
 * for none. `results`: of all its minions that are looked at.
 */
export async function awayHopsText(
  connection: Pick<OverlordConnection, "request">,
  results: readonly MinionResult[],
): Promise<string> {
  const behind = new Map<string, string[]>();
  for (const { minion, state, via: [hop] = [] } of results) {
    if (hop === undefined || FINAL_STATES.has(state)) continue;
    behind.set(hop, [...(behind.get(hop) ?? []), minion]);
  }
  if (behind.size === 0) return "";
  const lines: string[] = [];
  for (const { name, state, problem, lastSeenMs } of await connection.request("minions/list", {})) {
    const names = behind.get(name);
    if (!names || state !== "unreachable") continue;
    const since = lastSeenMs === undefined ? "" : ` since ${timeText(lastSeenMs)}`;
    // said of the last question, not of the job
    const why = problem?.replace(/ Nothing was run\.$/, "");
    lines.push(
      `${name} does not answer${since}; behind it are ${firstNames(names)}${why === undefined ? "." : `: ${why}`}\n`,
    );
  }
  return lines.join("");
}
