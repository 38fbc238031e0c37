import { fanOut, missingLast } from "../../calls/fanOut";
import type { Place } from "../../calls/place";
import type { MinionRecord } from "../../protocol/minions";
import { AnswerMemory } from "../../wire/answerMemory";
import type { JobRun, JobTools } from "./jobRun";
import { cancelStart } from "./cancelStart";
import type { Ending } from "./outcome";
import { interruptedResult } from "./resumedRun";
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
      writing.push(skip(run, minion, tools));
    },
  });
  await Promise.all(writing);
}

async function skip(run: JobRun, minion: MinionRecord, tools: JobTools): Promise<void> {
  const { job, limit, past } = run;
  const isAgain = past.has(minion.name);
  let ending: Ending;
  if (job.isCancelled) ending = await cancelStart(run, minion, tools, isAgain);
  else ending = isAgain ? interruptedResult(run, minion) : limit.skipped(minion);
  await tools.journal.ended(job, job.complete(minion.name, ending));
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
  const isAgain = run.past.has(name);
  const refused = new AbortController();
  const begin = async (): Promise<void> => {
    // the original cannot tell that it had the call
    if (isAgain && (await caller.isOriginal(minion))) refused.abort();
    if (run.keepPlaces) await place.keep();
    // it may have waited for its place
    if (limit.isPassed) refused.abort();
  };
  job.update(name, { state: "sent", startedAtMs: Date.now() });
  const asked = await callAsAsked(run, minion, caller, {
    timeoutMs,
    signal: AbortSignal.any([job.signal, refused.signal]),
    callId,
    memory,
    beforeSending: () => {
      if (limit.most === undefined && !isAgain) return run.keepPlaces ? place.keep() : undefined;
      return begin();
    },
    onSent: () => {
      job.update(name, { state: "running" });
    },
  });
  const { outcome } = asked;
  if (refused.signal.aborted && !job.isCancelled) {
    return isAgain ? interruptedResult(run, minion) : limit.skipped(minion);
  }
  const ending = askedResultOf(asked, minion);
  if (outcome.state === "succeeded" || (isAgain && outcome.answered)) return ending;
  const unsure = { ...ending, mayHaveRun: isAgain || outcome.mayHaveRun };
  if (!unsure.mayHaveRun) return ending;
  if (outcome.state === "cancelled") {
    return cancels.end(unsure, { job, minion, attempt, id: callId });
  }
  if (!isAgain || outcome.state !== "unreachable") return unsure;
  return interruptedResult(run, minion, outcome.error.message);
}
