import type { MinionCaller, MinionCallOutcome } from "../../calls/minionCaller";
import type { MinionRecord } from "../../protocol/minions";

/**
 * Has a hop cancel a job of its own. The answer is true where it ran; of one that has ended, on how many minions
 * something is stopped, where that is the case. Never throws.
 */
export function cancelAtHop(
  caller: Pick<MinionCaller, "call">,
  hop: MinionRecord,
  hopJobId: string,
  timeoutMs: number,
): Promise<MinionCallOutcome> {
  return caller.call(hop, "delegation.cancel", [hopJobId], {
    timeoutMs,
    signal: AbortSignal.timeout(2 * timeoutMs),
  });
}
