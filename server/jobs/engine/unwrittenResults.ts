import type { Job } from "../job";
import type { JobEvent, JobStore } from "../store/storeTypes";

const FIRST_RETRY_MS = 2_000;
const LAST_RETRY_MS = 60_000;
/** With more than this the oldest are given up: they stay in memory, with their warning. */
const MAX_WAITING = 20_000;
const AT_ONCE = 500;

interface Waiting {
  job: Job;
  /** Undefined for what concerns the job as a whole. */
  minion: string | undefined;
  events: readonly JobEvent[];
}

/** Results that the disk did not take: they are tried again until it does. */
export class UnwrittenResults {
  private waiting: Waiting[] = [];
  private readonly jobs = new Map<Job, number>();
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(
    private readonly store: JobStore,
    /** All results of the job are written by now. */
    private readonly onWritten: (job: Job) => void,
  ) {}

  get size(): number {
    return this.waiting.length;
  }

  has(job: Job): boolean {
    return this.jobs.has(job);
  }

  add(job: Job, minion: string | undefined, events: readonly JobEvent[]): void {
    this.waiting.push({ job, minion, events });
    this.jobs.set(job, (this.jobs.get(job) ?? 0) + 1);
    if (this.waiting.length > MAX_WAITING) this.waiting.shift();
    this.plan(FIRST_RETRY_MS);
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  private plan(delayMs: number): void {
    if (this.closed) return;
    this.timer ??= setTimeout(() => void this.retry(delayMs), delayMs).unref();
  }

  private async retry(delayMs: number): Promise<void> {
    const now = this.waiting.splice(0, AT_ONCE);
    // a job that was called again meanwhile is not at its end any more
    const due = now.filter(({ job, minion }) => minion !== undefined || job.finished);
    const written = await this.store.append(due.flatMap(({ events }) => events)).then(
      () => true,
      () => false,
    );
    this.timer = undefined;
    if (written) for (const one of now) this.leave(one);
    else this.waiting.unshift(...now);
    if (this.waiting.length === 0) return;
    this.plan(written ? 0 : Math.min(delayMs * 2, LAST_RETRY_MS));
  }

  private leave({ job, minion }: Waiting): void {
    if (minion !== undefined) job.amend(minion, { warning: undefined });
    const left = (this.jobs.get(job) ?? 1) - 1;
    if (left > 0) {
      this.jobs.set(job, left);
      return;
    }
    this.jobs.delete(job);
    this.onWritten(job);
  }
}
