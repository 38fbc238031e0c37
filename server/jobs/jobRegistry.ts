import { FuncError } from "../common/errors";
import type { Job } from "./job";
import type { OutputFiles } from "./outputs/outputFiles";

const MAX_JOBS = 1_000;
/** What nobody asked for is kept so long after its end, and nowhere else. */
const KEEP_BACKGROUND_MS = 60_000;
/** Finished jobs stay at hand while all jobs take less than this in memory. */
const EASY_BYTES = 48 * 1024 * 1024;
/** Beyond this also those go that the store could not take. */
const MAX_BYTES = 192 * 1024 * 1024;

/** The jobs of this overlord process that are in memory, oldest first: all that run, and the last that did. */
export class JobRegistry {
  private readonly jobs = new Map<string, Job>();
  private readonly listeners: ((job: Job) => void)[] = [];
  /** Jobs that are about to be called again, or forgotten. */
  private readonly claimed = new Set<string>();

  constructor(private readonly outputs?: OutputFiles) {}

  /** Of jobs that people asked for: one is new, or stands differently. */
  onChanged(listener: (job: Job) => void): void {
    this.listeners.push(listener);
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
    this.restore(job);
  }

  /** Takes a job of the store into memory, however many there are. */
  restore(job: Job): void {
    this.jobs.set(job.id, job);
    if (job.isBackground) return;
    job.onProgress(() => {
      this.changed(job);
    });
    this.changed(job);
  }

  find(id: string): Job | undefined {
    return this.jobs.get(id);
  }

  /**
   * Until `release`, nobody else can claim the job: what calls it again and what forgets it come one after the
   * other. Throws FuncError "conflict" where somebody has.
   */
  claim(id: string): void {
    if (this.claimed.has(id)) {
      const message = `The job ${id.slice(0, 200)} is just being called again, or deleted.`;
      throw new FuncError("conflict", message, "Look at it, then try again.");
    }
    this.claimed.add(id);
  }

  release(id: string): void {
    this.claimed.delete(id);
  }

  isClaimed(id: string): boolean {
    return this.claimed.has(id);
  }

  running(): Job[] {
    return [...this.jobs.values()].filter((job) => !job.finished);
  }

  /** It is in the store, or was forgotten. */
  drop(job: Job): void {
    if (this.jobs.get(job.id) === job) this.jobs.delete(job.id);
  }

  /** Lets go of finished jobs, oldest first, as far as memory needs it. */
  tidy(): void {
    this.purge(MAX_JOBS);
  }

  private purge(most: number): void {
    const now = Date.now();
    let bytes = [...this.jobs.values()].reduce((sum, job) => sum + job.memoryBytes, 0);
    for (const job of [...this.jobs.values()]) {
      if (job.finishedAtMs === undefined) continue;
      const full = this.jobs.size > most || bytes > EASY_BYTES;
      const age = now - job.finishedAtMs;
      const canGo = job.isBackground
        ? full || age > KEEP_BACKGROUND_MS
        : full && (job.isKept || bytes > MAX_BYTES);
      if (!canGo) continue;
      this.drop(job);
      if (job.isBackground) this.outputs?.release(job.id);
      bytes -= job.memoryBytes;
    }
  }

  private changed(job: Job): void {
    for (const listener of this.listeners) listener(job);
  }
}
