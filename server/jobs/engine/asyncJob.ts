import { fanOut, missingLast } from "../../calls/fanOut";
import { messageOf } from "../../common/errors";
import type { MinionRecord } from "../../protocol/minions";
import { collect } from "./asyncCollect";
import { mayBeThere, startOnce, type StartOutcome } from "./asyncStart";
import { cancelStart } from "./cancelStart";
import type { Delivery } from "./delivery";
import type { JobRun, JobTools } from "./jobRun";
import { notCalled } from "./notCalled";
import { lostResult } from "./outcome";
import { settle } from "./settle";

/**
 * Starts the method on all minions of the run and collects the results as they come; returns when each has its
 * final state, and that is written. The minions' own job ids stand in the job's results and stay there.
 */
export async function runAsyncJob(run: JobRun, tools: JobTools, delivery: Delivery): Promise<void> {
  const { job, limit, minions, nforks, past } = run;
  const going: Promise<void>[] = [];
  const follow = (minion: MinionRecord, work: () => Promise<void>): void => {
    going.push(
      work().catch(async (error: unknown) => {
        const ending = lostResult(minion, `the overlord failed: ${messageOf(error)}`);
        await tools.journal.ended(job, await settle(job, minion, ending, tools.keeper));
      }),
    );
  };
  const toStart: MinionRecord[] = [];
  for (const minion of minions) {
    const known = past.get(minion.name)?.minionJobId;
    if (known === undefined) toStart.push(minion);
    else follow(minion, () => collect(run, minion, known, tools));
  }
  await fanOut({
    items: missingLast(toStart),
    nforks,
    signal: AbortSignal.any([job.signal, limit.signal]),
    aside: tools.caller.aside,
    run: async (minion, place) => {
      const outcome = await startOnce(run, minion, tools, place);
      // what comes now does not keep the place of those that still have to be started
      follow(minion, () => goOn(run, minion, tools, delivery, outcome));
    },
    skip: (minion) => {
      follow(minion, () => skip(run, minion, tools, delivery));
    },
  });
  await Promise.all(going);
}

async function goOn(
  run: JobRun,
  minion: MinionRecord,
  tools: JobTools,
  delivery: Delivery,
  first: StartOutcome,
): Promise<void> {
  const { past } = run;
  // an earlier process may have sent it
  const known = past.has(minion.name) ? mayBeThere(first) : first;
  await finish(run, minion, tools, await delivery.goOn(run, minion, tools, known));
}

async function finish(
  run: JobRun,
  minion: MinionRecord,
  tools: JobTools,
  outcome: StartOutcome,
): Promise<void> {
  const { job } = run;
  if (job.isSuspended) return;
  if (outcome.kind === "started") {
    await collect(run, minion, outcome.minionJobId, tools);
    return;
  }
  await tools.journal.ended(job, await settle(job, minion, outcome.ending, tools.keeper));
}

/** Cancelled, or one too many, before it was begun by this process. */
async function skip(
  run: JobRun,
  minion: MinionRecord,
  tools: JobTools,
  delivery: Delivery,
): Promise<void> {
  const { job, past } = run;
  if (job.isSuspended) return;
  if (!job.isCancelled) {
    await finish(run, minion, tools, await notCalled(run, minion, tools, delivery));
    return;
  }
  const ending = await cancelStart(run, minion, tools, past.has(minion.name));
  await tools.journal.ended(job, job.complete(minion.name, ending));
}
