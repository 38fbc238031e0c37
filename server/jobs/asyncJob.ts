import { fanOut, missingLast } from "../calls/fanOut";
import type { Place } from "../calls/place";
import type { MinionCaller } from "../calls/minionCaller";
import type { MinionRecord } from "../protocol/minions";
import { AnswerMemory } from "../wire/answerMemory";
import type { AsyncCollector } from "./asyncCollector";
import { callIdOf } from "./jobId";
import { cancelledResult, lostResult, resultOf } from "./outcome";
import { settle } from "./settle";
import type { JobRun } from "./syncJob";

export interface AsyncJobRun extends JobRun {
  /** Limit for the work on each minion, from its start there; undefined for none. */
  runLimitMs: number | undefined;
}

/**
 * Starts the method on all minions of the job and collects the results as they come; returns when each
 * minion has its final state. The minions' own job ids stand in the job's results and stay there.
 */
export async function runAsyncJob(
  run: AsyncJobRun,
  caller: MinionCaller,
  collector: AsyncCollector,
): Promise<void> {
  const { job, minions, nforks } = run;
  const collecting: Promise<void>[] = [];
  await fanOut({
    items: missingLast(minions),
    nforks,
    signal: job.signal,
    aside: caller.aside,
    run: async (minion, place) => {
      const minionJobId = await start(run, minion, caller, place);
      // collecting does not keep the place of those that still have to be started
      if (minionJobId !== undefined) {
        collecting.push(collect(run, minion, minionJobId, caller, collector));
      }
    },
    skip: (minion) => {
      job.update(minion.name, cancelledResult(minion));
    },
  });
  await Promise.all(collecting);
}

/** The minion's job id, or undefined where it has a final state already. */
async function start(
  run: AsyncJobRun,
  minion: MinionRecord,
  caller: MinionCaller,
  place: Place,
): Promise<string | undefined> {
  const { job, method, params, timeoutMs } = run;
  const { name } = minion;
  const callId = callIdOf(job.id, name);
  job.update(name, { state: "sent", startedAtMs: Date.now() });
  const outcome = await caller.call(minion, `async.${method}`, params, {
    timeoutMs,
    signal: job.signal,
    callId,
    beforeSending: () => (run.keepPlaces ? place.keep() : undefined),
  });
  if (outcome.state === "succeeded") {
    if (typeof outcome.value === "string" && outcome.value !== "") {
      job.update(name, { state: "running", minionJobId: outcome.value });
      return outcome.value;
    }
    job.update(name, lostResult(minion, "it answered the start of the job without a job id."));
    return undefined;
  }
  if (outcome.state === "cancelled") caller.tellCancel(minion, callId);
  // started or not: without the id nobody can ask
  const unanswered = outcome.mayHaveRun && outcome.state !== "cancelled";
  const ending = unanswered ? lostResult(minion, outcome.error.message) : resultOf(outcome, minion);
  await settle(job, minion, ending, run.keeper);
  return undefined;
}

async function collect(
  run: AsyncJobRun,
  minion: MinionRecord,
  minionJobId: string,
  caller: MinionCaller,
  collector: AsyncCollector,
): Promise<void> {
  const { job, runLimitMs } = run;
  const deadlineMs = runLimitMs === undefined ? undefined : Date.now() + runLimitMs;
  const { signal } = job;
  const memory = new AnswerMemory();
  try {
    const result = await collector.collect({ minion, minionJobId, deadlineMs, signal, memory });
    if (!signal.aborted) {
      await settle(job, minion, result, run.keeper);
      return;
    }
    caller.tellCancel(minion, minionJobId);
    job.update(minion.name, cancelledResult(minion));
  } finally {
    memory.release();
  }
}
