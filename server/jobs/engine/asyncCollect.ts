import type { MinionResult } from "../../protocol/jobs";
import type { MinionRecord } from "../../protocol/minions";
import { AnswerMemory } from "../../wire/answerMemory";
import type { JobRun, JobTools } from "./jobRun";
import { cancelledResult, stoppedResult, type Ending } from "./outcome";
import { settle } from "./settle";
import { askedResultOf, endedJob, signedCallId } from "./signedCalls";
import { isTaken } from "./takenResult";
import { wasStopped } from "./wasStopped";

/** So long may a cancelled job take to end, before it counts as cancelled without being asked again. */
const TRUTH_SECONDS = 10;

/** Waits for the end of a started job and puts it where it belongs. Settles once that is written. */
export async function collect(
  run: JobRun,
  minion: MinionRecord,
  minionJobId: string,
  tools: JobTools,
): Promise<void> {
  const { job } = run;
  const { signal } = job;
  const memory = new AnswerMemory();
  const attempt = job.attemptOf(minion.name);
  try {
    const deadlineMs = deadlineOf(run, minion);
    const asked = {
      minion,
      minionJobId,
      callId: signedCallId(run, minion),
      deadlineMs,
      signal,
      memory,
      isWatched: () => job.isWatched,
      onProgress: (progress: MinionResult["progress"]) => {
        job.update(minion.name, { state: "running", progress });
      },
    };
    const ending =
      (await tools.collector.collect(asked)) ??
      (await stop(run, minion, minionJobId, tools, memory));
    if (job.isSuspended) return;
    const entry = await settle(job, minion, ending, tools.keeper);
    if (!entry) return;
    await tools.journal.ended(job, entry);
    if (isTaken(entry.result) && !job.isBackground) {
      tools.kept.add(minion, { jobId: job.id, attempt, minionJobId });
    }
  } finally {
    memory.release();
  }
}

/** Point of performance.now(); undefined for no limit. */
function deadlineOf({ runLimitMs, past }: JobRun, { name }: MinionRecord): number | undefined {
  if (runLimitMs === undefined) return undefined;
  const startedAtMs = past.get(name)?.startedAtMs;
  const now = performance.now();
  if (startedAtMs === undefined) return now + runLimitMs;
  // the clock may have been set since: never longer than the limit, and asked once in any case
  const elapsedMs = Math.min(Math.max(0, Date.now() - startedAtMs), runLimitMs);
  return now + runLimitMs - elapsedMs;
}

/** Tells the minion to stop the job, and asks what became of it: it may have ended before. */
async function stop(
  run: JobRun,
  minion: MinionRecord,
  minionJobId: string,
  { cancels, collector }: JobTools,
  memory: AnswerMemory,
): Promise<Ending> {
  const { job } = run;
  const { name } = minion;
  if (job.isSuspended) return cancelledResult(minion);
  const attempt = job.attemptOf(name);
  const cancel = { jobId: job.id, minion, attempt, id: minionJobId, sinceMs: Date.now() };
  const answer = await cancels.tell(cancel);
  if (answer === "away") {
    const message = `Cancelled here while ${name} could not be reached.`;
    return { ...cancelledResult(minion, message), mayHaveRun: true, cancelPending: true };
  }
  const look = `The method may have run on ${name}, or still run: look there before you call it again.`;
  if (answer === "cannot") {
    const message = `Cancelled on this side only: ${name} cannot be told to stop, so the call may run on.`;
    return { ...cancelledResult(minion, message, look), mayHaveRun: true };
  }
  const ended = await collector.end(minion, minionJobId, TRUTH_SECONDS, memory);
  if (!ended) {
    const message = `Cancelled; ${name} was told to stop the job, which has not ended within ${TRUTH_SECONDS} seconds.`;
    return { ...cancelledResult(minion, message, look), mayHaveRun: true };
  }
  const asked = endedJob(ended.value, signedCallId(run, minion));
  if (answer === "nothing" || !wasStopped(asked.outcome, job.isCommand)) {
    return askedResultOf(asked, minion);
  }
  return stoppedResult(minion);
}
