import { FuncError } from "../common/errors";
import {
  FINAL_STATES,
  type JobProgress,
  type JobSummary,
  type MinionResult,
} from "../protocol/jobs";
import type { StartCallParams } from "../protocol/requests";
import type { OverlordConnection } from "./connection";

export interface FollowOptions {
  /** The job's id is known; nothing has been reported yet. */
  onStarted?: (summary: JobSummary) => void;
  /**
   * Called once for each minion, when it has reached a final state, and for one at a time: the next waits
   * until its promise resolves. The value is there, with large outputs as `{"$output": ...}`.
   */
  onResult: (result: MinionResult) => Promise<void> | void;
  /** All minions are in a final state; results may still be waiting for `onResult`. */
  onFinished?: () => void;
  signal?: AbortSignal;
}

/** Starts a call and follows it to its end, see `followJob`. */
export function followCall(
  connection: OverlordConnection,
  params: StartCallParams,
  options: FollowOptions,
): Promise<JobSummary> {
  return followJob(
    connection,
    async () => ({
      summary: await connection.request("calls/start", params, { signal: options.signal }),
      results: [],
    }),
    options,
  );
}

/**
 * Reports each minion's result as it arrives and resolves with the summary once all are final.
 * `start` makes the overlord send this client the job's progress (calls/start, jobs/watch).
 * Throws what `start` throws, "unavailable" where the overlord goes away, also while `onResult` reads,
 * "cancelled" by the signal; the job itself then goes on.
 */
export async function followJob(
  connection: OverlordConnection,
  start: () => Promise<Pick<JobProgress, "summary" | "results">>,
  options: FollowOptions,
): Promise<JobSummary> {
  const inbox: Pick<JobProgress, "summary" | "results">[] = [];
  const overlord = { gone: false };
  const current: { id?: string } = {};
  let wake = (): void => undefined;
  const rouse = (): void => {
    wake();
  };
  // before the start, so that no progress is missed between its answer and the subscription
  const progress = connection.on("jobs/progress", (message) => {
    inbox.push(message);
    if (message.summary.finished && message.summary.id === current.id) options.onFinished?.();
    rouse();
  });
  const closing = connection.onClose(() => {
    overlord.gone = true;
    rouse();
  });
  options.signal?.addEventListener("abort", rouse);
  try {
    const first = await start();
    current.id = first.summary.id;
    options.onStarted?.(first.summary);
    const known = inbox.some(({ summary }) => summary.id === current.id && summary.finished);
    if (first.summary.finished || known) options.onFinished?.();
    inbox.unshift(first);
    const delivery = new Delivery(connection, first.summary, options.onResult, () => overlord.gone);
    let summary = first.summary;
    for (;;) {
      const next = inbox.shift();
      if (next?.summary.id === summary.id) {
        if (!summary.finished) summary = next.summary;
        await delivery.take(next.results);
      } else if (next === undefined) {
        if (summary.finished) break;
        if (overlord.gone) throw overlordGone(summary.id);
        if (options.signal?.aborted) {
          throw new FuncError("cancelled", `Stopped waiting for the job ${summary.id}.`);
        }
        await new Promise<void>((resolve) => (wake = resolve));
      }
    }
    // a finished job may have told part of its results before this client subscribed
    if (delivery.count < summary.total) await delivery.takeAll();
    return summary;
  } finally {
    progress.dispose();
    closing.dispose();
    options.signal?.removeEventListener("abort", rouse);
  }
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

/** Reports each minion once, whole. */
class Delivery {
  readonly #reported = new Set<string>();

  constructor(
    private readonly connection: OverlordConnection,
    private readonly job: JobSummary,
    private readonly onResult: FollowOptions["onResult"],
    private readonly isGone: () => boolean,
  ) {}

  get count(): number {
    return this.#reported.size;
  }

  async take(results: readonly MinionResult[]): Promise<void> {
    for (const result of results) {
      if (!FINAL_STATES.has(result.state) || this.#reported.has(result.minion)) continue;
      this.#reported.add(result.minion);
      try {
        await this.onResult(await this.#whole(result));
      } catch (error) {
        throw this.#isLoss(error) ? resultLost(this.job, result) : error;
      }
    }
  }

  /** Asks for all results of the job, and takes those that are not reported yet. */
  async takeAll(): Promise<void> {
    const { id } = this.job;
    const { results } = await this.connection
      .request("jobs/watch", { jobId: id })
      .catch((error: unknown) => {
        throw this.#isLoss(error) ? overlordGone(id) : error;
      });
    await this.take(results);
  }

  async #whole(result: MinionResult): Promise<MinionResult> {
    const leftOut = result.value === undefined && result.valueBytes !== undefined;
    if (!leftOut && !result.error?.cut) return result;
    const jobId = this.job.id;
    return this.connection.request("jobs/result", { jobId, minion: result.minion });
  }

  #isLoss(error: unknown): boolean {
    return this.isGone() && error instanceof FuncError && error.reason === "unavailable";
  }
}
