import { fanOut, missingLast } from "../calls/fanOut";
import type { MinionCaller } from "../calls/minionCaller";
import type { MinionRecord } from "../protocol/minions";
import { AnswerMemory } from "../wire/answerMemory";
import type { XmlRpcValue } from "../wire/value";
import type { Job } from "./job";
import { callIdOf } from "./jobId";
import { cancelledResult, resultOf } from "./outcome";
import { settle } from "./settle";
import type { ValueKeeper } from "./valueKeeper";

export interface JobRun {
  job: Job;
  minions: readonly MinionRecord[];
  /** "module.method" */
  method: string;
  params: XmlRpcValue[];
  nforks: number;
  /** Calls that run keep their places however long they take: nforks was chosen for this. */
  keepPlaces: boolean;
  /** Limit for the call on each minion, or for starting it there. */
  timeoutMs: number;
  keeper: ValueKeeper;
}

/** Calls the method on all minions of the job; returns when each has its final state. */
export async function runSyncJob(run: JobRun, caller: MinionCaller): Promise<void> {
  const { job, minions, nforks, method, params, timeoutMs, keeper } = run;
  await fanOut({
    items: missingLast(minions),
    nforks,
    signal: job.signal,
    aside: caller.aside,
    run: async (minion, place) => {
      const { name } = minion;
      const callId = callIdOf(job.id, name);
      job.update(name, { state: "sent", startedAtMs: Date.now() });
      const memory = new AnswerMemory();
      try {
        const outcome = await caller.call(minion, method, params, {
          timeoutMs,
          signal: job.signal,
          callId,
          memory,
          beforeSending: () => (run.keepPlaces ? place.keep() : undefined),
          onSent: () => {
            job.update(name, { state: "running" });
          },
        });
        await settle(job, minion, resultOf(outcome, minion), keeper);
        if (outcome.state === "cancelled" && outcome.mayHaveRun) caller.tellCancel(minion, callId);
      } finally {
        memory.release();
      }
    },
    skip: (minion) => {
      job.update(minion.name, cancelledResult(minion));
    },
  });
}
