import type { CancelAnswer } from "../../calls/cancelTeller";
import type { MinionRecord } from "../../protocol/minions";
import type { Job } from "../job";
import type { Cancel, PendingCancels } from "./pendingCancels";

/** What a hop is to be told, or asked, of the calls that its job `id` is for: once for each attempt that they are at here. */
export function callsAtHop(
  job: Pick<Job, "id" | "attemptOf">,
  hop: MinionRecord,
  id: string,
  names: readonly string[],
): Cancel[] {
  const sinceMs = Date.now();
  const byAttempt = new Map<number, string[]>();
  for (const name of names) {
    const attempt = job.attemptOf(name);
    const those = byAttempt.get(attempt);
    if (those) those.push(name);
    else byAttempt.set(attempt, [name]);
  }
  return [...byAttempt].map(([attempt, those]) => ({
    ...{ jobId: job.id, minion: hop, attempt, id, sinceMs },
    names: those,
  }));
}

/** Tells the hop one of the cancels of the same job there; all of them later where it is away. Never throws. */
export async function tellOnce(
  cancels: Pick<PendingCancels, "tell" | "add">,
  [first, ...rest]: readonly Cancel[],
): Promise<CancelAnswer> {
  if (!first) return "nothing";
  const answer = await cancels.tell(first);
  if (answer === "away") for (const one of rest) cancels.add(one);
  return answer;
}
