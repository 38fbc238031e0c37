import { FuncError } from "../common/errors";
import {
  FINAL_STATES,
  type JobProgress,
  type JobSummary,
  type MinionResult,
} from "../protocol/jobs";
import type { StartCallParams } from "../protocol/requests";
import type { OverlordConnection } from "./connection";
import type { ConnectionSource } from "./keptConnection";
import { MAX_LOSSES, reconnect } from "./reconnect";
import { isUnavailable } from "./responseError";

export interface FollowOptions {
  /** The job's id is known; nothing has been reported yet. Once, also where the overlord was restarted. */
  onStarted?: (summary: JobSummary) => void;
  /**
   * Called once for each minion, when it has reached a final state, and for one at a time: the next waits
   * until its promise resolves. The value is there, with large outputs as `{"$output": ...}`.
   */
  onResult: (result: MinionResult) => Promise<void> | void;
  /** The job stands differently. */
  onProgress?: (progress: JobSnapshot) => void;
  /** All minions are in a final state; results may still be waiting for `onResult`. */
  onFinished?: () => void;
  /** The overlord went away, and another one goes on with the job. */
  onReconnected?: () => void;
  signal?: AbortSignal;
  /** Only these minions' results; it ends with the last of them. */
  minions?: ReadonlySet<string>;
  /** Results that are known already: false for them. */
  isNews?: (result: MinionResult) => boolean;
}

type JobSnapshot = Pick<JobProgress, "summary" | "results">;
type Begin = (connection: OverlordConnection) => Promise<JobSnapshot>;

/** After a connection of this length, an overlord that goes away does so for the first time. */
const STEADY_MS = 60_000;

/** Starts a call and follows it to its end, see `followJob`. Throws what `calls/start` does, too. */
export async function followCall(
  overlord: ConnectionSource | OverlordConnection,
  params: StartCallParams,
  options: FollowOptions,
): Promise<JobSummary> {
  return new JobFollower(sourceOf(overlord), options).run(async (connection) => ({
    summary: await connection.request("calls/start", params, { signal: options.signal }),
    results: [],
  }));
}

/**
 * Reports each minion's result of a job, those that are there and those to come, and resolves with the summary once
 * all are final. Where the overlord goes away and `overlord` is a source, the next one is asked. Throws "not-found"
 * where the job is unknown, "unavailable" where the overlord went away and the job with it, or it cannot be reached
 * again, "cancelled" by the signal; the job itself then goes on.
 */
export async function followJob(
  overlord: ConnectionSource | OverlordConnection,
  jobId: string,
  options: FollowOptions,
): Promise<JobSummary> {
  return new JobFollower(sourceOf(overlord), options).run((connection) =>
    connection.request("jobs/watch", { jobId }, { signal: options.signal }),
  );
}

function sourceOf(overlord: ConnectionSource | OverlordConnection): ConnectionSource {
  return "connection" in overlord ? overlord : { connection: () => Promise.resolve(overlord) };
}

/** The overlord went away while it was listened to; the reason stays inside of this file. */
class ConnectionLost extends Error {}

/** Follows one job over any number of connections, and reports each minion once, whole. */
class JobFollower {
  readonly #reported = new Set<string>();
  #job: JobSummary | undefined;
  #finishedTold = false;

  constructor(
    private readonly source: ConnectionSource,
    private readonly options: FollowOptions,
  ) {}

  async run(first: Begin): Promise<JobSummary> {
    const { signal } = this.options;
    let begin = first;
    let connection = await this.source.connection(signal);
    for (let losses = 0; ;) {
      const began = Date.now();
      const known = this.#reported.size;
      try {
        return await this.#listen(connection, begin);
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error;
      }
      const job = this.#job;
      if (!job) throw new FuncError("internal", "A job was lost that had not begun.");
      const isSteady = this.#reported.size > known || Date.now() - began > STEADY_MS;
      losses = isSteady ? 1 : losses + 1;
      const next = losses > MAX_LOSSES ? connection : await this.#again(losses);
      // the source has no other one
      if (next === connection) throw overlordGone(job.id);
      connection = next;
      begin = (to) => to.request("jobs/watch", { jobId: job.id }, { signal });
    }
  }

  async #again(losses: number): Promise<OverlordConnection> {
    const { signal } = this.options;
    return reconnect(this.source, losses, signal).catch((error: unknown) => {
      throw signal?.aborted ? this.#stopped() : error;
    });
  }

  /** Until the job has ended. Throws ConnectionLost where the connection closes once the job is known. */
  async #listen(connection: OverlordConnection, begin: Begin): Promise<JobSummary> {
    const { signal } = this.options;
    const inbox: JobSnapshot[] = [];
    const overlord = { gone: false };
    let wake = (): void => undefined;
    const rouse = (): void => {
      wake();
    };
    // before the start, so that no progress is missed between its answer and the subscription
    const progress = connection.on("jobs/progress", (message) => {
      if (this.#job !== undefined && message.summary.id !== this.#job.id) return;
      inbox.push(message);
      if (this.#job !== undefined) this.#heed(message);
      rouse();
    });
    const closing = connection.onClose(() => {
      overlord.gone = true;
      rouse();
    });
    signal?.addEventListener("abort", rouse);
    try {
      const job = await this.#begin(connection, begin, overlord);
      for (const message of inbox) if (message.summary.id === job.summary.id) this.#heed(message);
      inbox.unshift(job);
      let { summary } = job;
      for (;;) {
        const next = inbox.shift();
        if (next?.summary.id === summary.id) {
          if (!summary.finished) this.#job = summary = next.summary;
          await this.#take(connection, next.results, overlord);
        } else if (next === undefined) {
          if (summary.finished || this.#hasAll(summary)) break;
          if (overlord.gone) throw new ConnectionLost();
          if (signal?.aborted) throw this.#stopped();
          await new Promise<void>((resolve) => (wake = resolve));
        }
      }
      // a finished job may have told part of its results before this client subscribed
      if (!this.#hasAll(summary)) await this.#takeAll(connection, summary, overlord);
      return summary;
    } finally {
      progress.dispose();
      closing.dispose();
      signal?.removeEventListener("abort", rouse);
    }
  }

  async #begin(
    connection: OverlordConnection,
    begin: Begin,
    overlord: { gone: boolean },
  ): Promise<JobSnapshot> {
    const known = this.#job;
    try {
      const job = await begin(connection);
      this.#job = job.summary;
      if (known) this.options.onReconnected?.();
      else this.options.onStarted?.(job.summary);
      this.#heed(job);
      return job;
    } catch (error) {
      if (known && overlord.gone) throw new ConnectionLost();
      // the overlord that came after it has never heard of the job
      if (known && error instanceof FuncError && error.reason === "not-found") {
        throw overlordGone(known.id);
      }
      throw error;
    }
  }

  /** What is told at once, however long results take to be shown. */
  #heed(message: JobSnapshot): void {
    this.options.onProgress?.(message);
    if (!message.summary.finished || this.#finishedTold) return;
    this.#finishedTold = true;
    this.options.onFinished?.();
  }

  async #take(
    connection: OverlordConnection,
    results: readonly MinionResult[],
    overlord: { gone: boolean },
  ): Promise<void> {
    const { minions, isNews } = this.options;
    for (const result of results) {
      if (!FINAL_STATES.has(result.state) || this.#reported.has(result.minion)) continue;
      if (minions?.has(result.minion) === false) continue;
      if (isNews?.(result) === false) {
        this.#reported.add(result.minion);
        continue;
      }
      const whole = await this.#whole(connection, result).catch((error: unknown) => {
        throw overlord.gone && isUnavailable(error) ? new ConnectionLost() : error;
      });
      this.#reported.add(result.minion);
      try {
        await this.options.onResult(whole);
      } catch (error) {
        const job = this.#job;
        throw job && overlord.gone && isLoss(error) ? resultLost(job, result) : error;
      }
    }
  }

  #hasAll({ total }: JobSummary): boolean {
    return this.#reported.size >= (this.options.minions?.size ?? total);
  }

  /** Asks for all results of the job, and takes those that are not reported yet. */
  async #takeAll(
    connection: OverlordConnection,
    { id }: JobSummary,
    overlord: { gone: boolean },
  ): Promise<void> {
    const { signal } = this.options;
    const { results } = await connection
      .request("jobs/watch", { jobId: id }, { signal })
      .catch((error: unknown) => {
        throw overlord.gone && isUnavailable(error) ? new ConnectionLost() : error;
      });
    await this.#take(connection, results, overlord);
  }

  async #whole(connection: OverlordConnection, result: MinionResult): Promise<MinionResult> {
    const leftOut = result.value === undefined && result.valueBytes !== undefined;
    if ((!leftOut && !result.error?.cut) || this.#job === undefined) return result;
    const { signal } = this.options;
    const { minion } = result;
    return connection.request("jobs/result", { jobId: this.#job.id, minion }, { signal });
  }

  #stopped(): FuncError {
    return new FuncError("cancelled", `Stopped waiting for the job ${this.#job?.id ?? ""}.`);
  }
}

/** Of what is read from an overlord, or from the one that came after it. */
function isLoss(error: unknown): boolean {
  return isUnavailable(error) || (error instanceof FuncError && error.reason === "not-found");
}

function overlordGone(jobId: string): FuncError {
  return new FuncError(
    "unavailable",
    `The overlord went away while the job ${jobId} ran.`,
    "Its results are lost with the overlord, but it may still run on the minions: look there before you call again.",
  );
}

/** "Try again" would be bad advice: that runs it once more. */
function resultLost(
  { id, module, method }: JobSummary,
  { minion, state }: MinionResult,
): FuncError {
  const call = `${module}.${method}`;
  const what =
    state === "succeeded"
      ? `${call} has run on ${minion}`
      : `${call} has ended on ${minion} (${state})`;
  return new FuncError(
    "unavailable",
    `The overlord went away: ${what} (job ${id}), but its result can no longer be read from here.`,
    `Look at ${minion} for what it did; calling again runs it once more.`,
  );
}
