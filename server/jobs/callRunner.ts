import type { MethodDirectory } from "../calls/methodDirectory";
import type { MinionCaller } from "../calls/minionCaller";
import { messageOf } from "../common/errors";
import type { Log } from "../common/log";
import type { MinionRecord } from "../protocol/minions";
import type { StartCallParams } from "../protocol/requests";
import { fromJson } from "../wire/jsonValue";
import { argsText } from "./argsText";
import { AsyncCollector } from "./asyncCollector";
import { runAsyncJob } from "./asyncJob";
import { Job } from "./job";
import { createJobId } from "./jobId";
import type { JobRegistry } from "./jobRegistry";
import { runSyncJob } from "./syncJob";
import type { ValueKeeper } from "./valueKeeper";

export interface CallDefaults {
  nforks: number;
  /** True where a person chose it. */
  nforksGiven: boolean;
  /** Limit for starting an async call. */
  deliveryTimeoutMs: number;
  timeoutMs: number;
}

/** Turns call requests into jobs and runs them. */
export class CallRunner {
  private readonly collector: AsyncCollector;

  constructor(
    private readonly jobs: JobRegistry,
    private readonly caller: MinionCaller,
    private readonly methods: MethodDirectory,
    private readonly keeper: ValueKeeper,
    private readonly defaults: CallDefaults,
    private readonly log: Log,
  ) {
    this.collector = new AsyncCollector(caller);
  }

  /**
   * Makes the job and begins it after the caller's turn, so that nobody misses its first progress.
   * Throws FuncError "bad-argument" for arguments that cannot be sent, "unavailable".
   */
  start(request: StartCallParams, minions: readonly MinionRecord[]): Job {
    const { spec, module, method } = request;
    const params = request.args.map(fromJson);
    const names = minions.map(({ name }) => name);
    const job = new Job({
      id: createJobId(spec, module, method),
      spec,
      exclude: request.exclude,
      module,
      method,
      argsText: argsText(request.args, this.methods.find(names, module, method)),
      async: request.async ?? false,
      background: request.background,
      minions,
    });
    this.jobs.add(job);
    const run = {
      job,
      minions,
      method: `${module}.${method}`,
      params,
      keeper: this.keeper,
      nforks: request.nforks ?? this.defaults.nforks,
      keepPlaces: request.nforks !== undefined || this.defaults.nforksGiven,
      // an async call's own limit is for the work; starting it must not take long
      timeoutMs: job.isAsync
        ? this.defaults.deliveryTimeoutMs
        : (request.timeoutMs ?? this.defaults.timeoutMs),
    };
    setImmediate(() => {
      const running = job.isAsync
        ? runAsyncJob({ ...run, runLimitMs: request.timeoutMs }, this.caller, this.collector)
        : runSyncJob(run, this.caller);
      running.catch((error: unknown) => {
        this.log.error("a job failed for an unexpected reason", {
          job: job.id,
          problem: messageOf(error),
        });
        job.abandon(messageOf(error));
      });
    });
    return job;
  }
}
