import type { MinionRecord } from "../../protocol/minions";
import type { JobRun, JobTools } from "./jobRun";
import { cancelledResult, type Ending } from "./outcome";

/** For a call that was cancelled before its start was answered; `mayHaveRun` where a start may have left. */
export async function cancelStart(
  { job }: JobRun,
  minion: MinionRecord,
  { cancels }: JobTools,
  mayHaveRun: boolean,
): Promise<Ending> {
  if (!mayHaveRun) return cancelledResult(minion);
  const message = `Cancelled; ${minion.name} is told to stop what may have been started there.`;
  const ending = { ...cancelledResult(minion, message), mayHaveRun };
  const attempt = job.attemptOf(minion.name);
  const id = job.callId(minion.name);
  return cancels.end(ending, { job, minion, attempt, id });
}
