import { FuncError } from "../common/errors";
import type { Job } from "./job";

/** Results can be fetched at least this long after the end. */
export const KEEP_FINISHED_MS = 60 * 60_000;
const MAX_JOBS = 1_000;
/** Finished jobs past their time stay while there is room for them. */
const MAX_VALUE_BYTES = 512_000_000;

/** All jobs of this overlord process, in memory, oldest first. */
export class JobRegistry {
  private readonly jobs = new Map<string, Job>();

  /** Makes room for the new job. Throws FuncError "unavailable" where a thousand jobs run. */
  add(job: Job): void {
    this.purge(MAX_JOBS - 1);
    if (this.jobs.size >= MAX_JOBS) {
      throw new FuncError(
        "unavailable",
        `${MAX_JOBS} jobs run at this moment, which is the limit.`,
        "Wait until one has finished, or cancel one.",
      );
    }
    this.jobs.set(job.id, job);
  }

  find(id: string): Job | undefined {
    return this.jobs.get(id);
  }

  /** Throws FuncError "not-found". */
  get(id: string): Job {
    const job = this.jobs.get(id);
    if (job) return job;
    throw new FuncError(
      "not-found",
      `There is no job "${id.slice(0, 200)}".`,
      "Jobs are kept for at least an hour after they finished, while the overlord runs.",
    );
  }

  /** Newest first. */
  list(): Job[] {
    return [...this.jobs.values()].reverse();
  }

  running(): Job[] {
    return [...this.jobs.values()].filter((job) => !job.finished);
  }

  /** True where some async job's results may still be fetched: they are lost with this process. */
  hasFetchable(now = Date.now()): boolean {
    return this.list().some(
      (job) =>
        job.isAsync && job.finishedAtMs !== undefined && now - job.finishedAtMs < KEEP_FINISHED_MS,
    );
  }

  /** Running jobs stay whatever happens; of the finished ones the oldest go first. */
  private purge(most: number): void {
    const now = Date.now();
    let bytes = [...this.jobs.values()].reduce((sum, job) => sum + job.valueBytes, 0);
    for (const job of [...this.jobs.values()]) {
      const tooMany = this.jobs.size > most;
      if (!tooMany && bytes <= MAX_VALUE_BYTES) return;
      if (job.finishedAtMs === undefined) continue;
      const old = now - job.finishedAtMs > KEEP_FINISHED_MS;
      if (tooMany || old) {
        this.jobs.delete(job.id);
        bytes -= job.valueBytes;
      }
    }
  }
}
