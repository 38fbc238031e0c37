import { runAsyncJob } from "./asyncJob";
import { stepsOf } from "./batches";
import type { Delivery } from "./delivery";
import { ErrorLimit, isFailure } from "./errorLimit";
import type { Job } from "../job";
import type { JobRun, JobTools } from "./jobRun";
import { nextHop } from "./minionsBehind";
import { endUnresumable } from "./resumedRun";
import type { JobRecord } from "../store/storeTypes";
import { runSyncJob } from "./syncJob";

/** How a job is called in steps, and where it stops; by what has become of it so far. */
export function stepping(record: JobRecord, job: Job): Pick<JobRun, "steps" | "limit"> {
  const { minions, canaries, batch, maxErrors } = record;
  const names = minions.map(({ name }) => name);
  const steps = stepsOf(names, { canaries, size: batch?.size });
  const isOneByOne = record.keepPlaces && record.nforks === 1 && !record.async;
  return {
    steps: isOneByOne ? steps.flatMap((step) => byHop(step, minions)) : steps,
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
      const behind = run.behind.filter(({ name }) => step.has(name));
      if (here.length + behind.length === 0) continue;
      if (job.isSuspended) return;
      await runStep({ ...run, minions: here, behind, past }, tools, delivery);
      // nobody of a later step was called before this one had ended
      past = called(past);
    }
  } finally {
    counting.dispose();
  }
}

/** Direct calls and next hops at once; where children come first, hops that are called themselves come after them. */
async function runStep(run: JobRun, tools: JobTools, delivery: Delivery): Promise<void> {
  const { behind, minions } = run;
  const hops = new Set(run.record.childrenFirst ? behind.map(nextHop) : []);
  const first = minions.filter(({ name }) => !hops.has(name));
  await Promise.all([
    callDirectly({ ...run, minions: first }, tools, delivery),
    ...(behind.length > 0 ? [tools.hops.call(run, tools)] : []),
  ]);
  const then = minions.filter(({ name }) => hops.has(name));
  if (!run.job.isSuspended) await callDirectly({ ...run, minions: then }, tools, delivery);
}

async function callDirectly(run: JobRun, tools: JobTools, delivery: Delivery): Promise<void> {
  if (run.minions.length === 0) return;
  if (run.job.isAsync) await runAsyncJob(run, tools, delivery);
  else await runSyncJob(run, tools);
}

/** Those that certainly had their call, or may have had it. */
function called(past: JobRun["past"]): JobRun["past"] {
  return new Map(
    [...past].filter(([, { minionJobId, sentAtMs }]) => (minionJobId ?? sentAtMs) !== undefined),
  );
}

/** Hops would each call one at the same time. Direct calls come last: children may have to be first. */
function byHop(step: readonly string[], minions: JobRecord["minions"]): string[][] {
  const wanted = new Set(step);
  const groups = new Map<string, string[]>();
  const direct: string[] = [];
  for (const { name, path = [] } of minions) {
    if (!wanted.has(name)) continue;
    const [hop] = path.slice(0, -1);
    const group = hop === undefined ? direct : (groups.get(hop) ?? []);
    group.push(name);
    if (hop !== undefined) groups.set(hop, group);
  }
  return [...groups.values(), direct].filter(({ length }) => length > 0);
}

/** Of the latest attempt. */
function failuresOf(job: Job): number {
  const attempt = job.nextAttempt - 1;
  const latest = job.listEntries().filter(({ result }) => (result.attempt ?? 1) === attempt);
  return latest.filter(({ result }) => isFailure(result)).length;
}
