import { runAsyncJob } from "./asyncJob";
import { stepsOf } from "./batches";
import type { Delivery } from "./delivery";
import { ErrorLimit, isFailure } from "./errorLimit";
import type { Job } from "../job";
import type { JobRun, JobTools } from "./jobRun";
import { endUnresumable } from "./resumedRun";
import type { JobRecord } from "../store/storeTypes";
import { runSyncJob } from "./syncJob";

/** How a job is called in steps, and where it stops; by what has become of it so far. */
export function stepping(record: JobRecord, job: Job): Pick<JobRun, "steps" | "limit"> {
  const { minions, canaries, batch, maxErrors } = record;
  const names = minions.map(({ name }) => name);
  return {
    steps: stepsOf(names, { canaries, size: batch?.size }),
    limit: new ErrorLimit(maxErrors, failuresOf(job)),
  };
}

/**
 * Calls the minions of the run, one step after the other has ended. Returns when each has its final state, and
 * that is written.
 */
export async function runSteps(run: JobRun, tools: JobTools, delivery: Delivery): Promise<void> {
  const { job, limit, steps } = run;
  const counting = job.onEnding((result) => {
    limit.ended(result);
  });
  try {
    let { past } = run;
    const minions = past.size > 0 ? await endUnresumable(run, tools) : run.minions;
    for (const names of steps) {
      const step = new Set(names);
      const here = minions.filter(({ name }) => step.has(name));
      if (here.length === 0) continue;
      if (job.isSuspended) return;
      const stepRun = { ...run, minions: here, past };
      if (job.isAsync) await runAsyncJob(stepRun, tools, delivery);
      else await runSyncJob(stepRun, tools);
      // nobody of a later step was called before this one had ended
      past = called(past);
    }
  } finally {
    counting.dispose();
  }
}

/** Those that certainly had their call, or may have had it. */
function called(past: JobRun["past"]): JobRun["past"] {
  return new Map(
    [...past].filter(([, { minionJobId, sentAtMs }]) => (minionJobId ?? sentAtMs) !== undefined),
  );
}

/** Of the latest attempt. */
function failuresOf(job: Job): number {
  const attempt = job.nextAttempt - 1;
  const latest = job.listEntries().filter(({ result }) => (result.attempt ?? 1) === attempt);
  return latest.filter(({ result }) => isFailure(result)).length;
}
