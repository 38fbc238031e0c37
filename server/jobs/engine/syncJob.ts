import { fanOut, missingLast } from "../../calls/fanOut";
import type { Place } from "../../calls/place";
import type { MinionRecord } from "../../protocol/minions";
import { AnswerMemory } from "../../wire/answerMemory";
import type { JobRun, JobTools } from "./jobRun";
import { cancelledResult, type Ending } from "./outcome";
import { settle } from "./settle";
import { askedResultOf, callAsAsked } from "./signedCalls";

/** Calls the method on all minions of the run; returns when each has its final state, and that is written. */
export async function runSyncJob(run: JobRun, tools: JobTools): Promise<void> {
  const { job, limit, minions, nforks } = run;
  const { caller, keeper, journal } = tools;
  const writing: Promise<void>[] = [];
  await fanOut({
    items: missingLast(minions),
    nforks,
    signal: AbortSignal.any([job.signal, limit.signal]),
    aside: caller.aside,
    run: async (minion, place) => {
      const memory = new AnswerMemory();
      try {
        const ending = await call(run, minion, tools, place, memory);
        const entry = await settle(job, minion, ending, keeper);
        // its place is free while that is written
        writing.push(journal.ended(job, entry));
      } finally {
        memory.release();
      }
    },
    skip: (minion) => {
      const ending = job.isCancelled ? cancelledResult(minion) : limit.skipped(minion);
      writing.push(journal.ended(job, job.complete(minion.name, ending)));
    },
  });
  await Promise.all(writing);
}

async function call(
  run: JobRun,
  minion: MinionRecord,
  { caller, cancels }: JobTools,
  place: Place,
  memory: AnswerMemory,
): Promise<Ending> {
  const { job, limit, timeoutMs } = run;
  const { name } = minion;
  const attempt = job.attemptOf(name);
  const callId = job.callId(name);
  // it may have waited for its place
  const tooLate = new AbortController();
  const begin = async (): Promise<void> => {
    if (run.keepPlaces) await place.keep();
    if (limit.isPassed) tooLate.abort();
  };
  job.update(name, { state: "sent", startedAtMs: Date.now() });
  const asked = await callAsAsked(run, minion, caller, {
    timeoutMs,
    signal: AbortSignal.any([job.signal, tooLate.signal]),
    callId,
    memory,
    beforeSending: () => {
      if (limit.most === undefined) return run.keepPlaces ? place.keep() : undefined;
      return begin();
    },
    onSent: () => {
      job.update(name, { state: "running" });
    },
  });
  const { outcome } = asked;
  if (tooLate.signal.aborted && !job.isCancelled) return limit.skipped(minion);
  const ending = askedResultOf(asked, minion);
  if (outcome.state !== "cancelled" || !outcome.mayHaveRun) return ending;
  return cancels.end(ending, { job, minion, attempt, id: callId });
}
