import type { Job } from "../jobs/job";
import type { JobsChanged } from "../protocol/jobs";

const TELL_MS = 500;
/** With more the client is told to ask for the list. */
const MAX_JOBS = 200;

/** Which jobs have changed since one client was last told, told at most twice a second. */
export class JobNews {
  private readonly changed = new Map<string, Job>();
  private readonly removed = new Set<string>();
  private tooMany = false;
  private timer: NodeJS.Timeout | undefined;
  private toldAtMs = -Infinity;

  constructor(
    /** False where the client is behind: then `tell` is to be called later. */
    private readonly canTell: () => boolean,
    private readonly send: (news: JobsChanged) => void,
  ) {}

  jobChanged(job: Job): void {
    if (!this.tooMany) this.changed.set(job.id, job);
    this.bound();
  }

  jobsRemoved(jobIds: readonly string[]): void {
    for (const id of jobIds) {
      this.changed.delete(id);
      if (!this.tooMany) this.removed.add(id);
    }
    this.bound();
  }

  /** Tells what there is, if its time has come. */
  tell(): void {
    const isEmpty = this.changed.size === 0 && this.removed.size === 0 && !this.tooMany;
    if (isEmpty || this.timer || !this.canTell()) return;
    const waitMs = this.toldAtMs + TELL_MS - performance.now();
    if (waitMs > 0) {
      this.timer = setTimeout(() => {
        this.timer = undefined;
        this.tell();
      }, waitMs);
      return;
    }
    this.toldAtMs = performance.now();
    const news: JobsChanged = {
      changed: [...this.changed.values()].map((job) => job.summary({ whole: false })),
      removed: [...this.removed],
      ...(this.tooMany && { all: true }),
    };
    this.forget();
    this.send(news);
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.forget();
  }

  private bound(): void {
    if (this.changed.size + this.removed.size > MAX_JOBS) {
      this.forget();
      this.tooMany = true;
    }
    this.tell();
  }

  private forget(): void {
    this.changed.clear();
    this.removed.clear();
    this.tooMany = false;
  }
}
