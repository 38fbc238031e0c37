import { FuncError } from "../common/errors";
import type { Job } from "./job";
import type { OutputFiles } from "./outputFiles";

/** Results can be fetched at least this long after the end. */
export const KEEP_FINISHED_MS = 60 * 60_000;
const MAX_JOBS = 1_000;
/** So short is what nobody asked for kept where there is little room. */
const KEEP_BACKGROUND_MS = 60_000;
/** Finished jobs past their time stay while all jobs take less than this in memory. */
const EASY_BYTES = 64 * 1024 * 1024;
/** Beyond this they go before their time. */
const MAX_BYTES = 192 * 1024 * 1024;

/** All jobs of this overlord process, in memory, oldest first, and the hold they have on output files. */
export class JobRegistry {
  private readonly jobs = new Map<string, Job>();

  constructor(private readonly outputs?: OutputFiles) {
    outputs?.onFull(() => this.forgetOldest());
  }

  /** About what values and errors of all jobs take in memory. */
  valueBytes(): number {
    let sum = 0;
    for (const job of this.jobs.values()) sum += job.valueBytes;
    return sum;
  }

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
    let bytes = [...this.jobs.values()].reduce((sum, job) => sum + job.memoryBytes, 0);
    for (const job of [...this.jobs.values()]) {
      const full = this.jobs.size > most || bytes > MAX_BYTES;
      if (!full && bytes <= EASY_BYTES) return;
      if (job.finishedAtMs === undefined) continue;
      const keepMs = job.isBackground ? KEEP_BACKGROUND_MS : KEEP_FINISHED_MS;
      if (full || now - job.finishedAtMs > keepMs) {
        this.forget(job);
        bytes -= job.memoryBytes;
      }
    }
  }

  /** Of those that have outputs. False where each of them runs. */
  private forgetOldest(): boolean {
    const oldest = [...this.jobs.values()].find(
      (job) => job.finished && this.outputs?.isHolder(job.id),
    );
    if (oldest) this.forget(oldest);
    return oldest !== undefined;
  }

  private forget(job: Job): void {
    this.jobs.delete(job.id);
    this.outputs?.release(job.id);
  }
}
