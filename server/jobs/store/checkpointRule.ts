/** When the databases are written, so that the journal before is no longer needed. */
export interface CheckpointLimits {
  bytes: number;
  events: number;
  /** After the last write. */
  idleMs: number;
  /** After one that failed. */
  retryMs: number;
}

const LIMITS: CheckpointLimits = {
  bytes: 16 * 1024 * 1024,
  events: 10_000,
  idleMs: 30_000,
  retryMs: 30_000,
};

/** Counts what was written since the last checkpoint, and asks for the next one when it is due. */
export class CheckpointRule {
  private readonly limits: CheckpointLimits;
  private bytes = 0;
  private events = 0;
  private mostBytes: number;
  private timer: NodeJS.Timeout | undefined;
  private running = false;
  private waits = false;
  private stopped = false;

  constructor(
    /** Answers how large the databases are now. Rejects where it did not come about. */
    private readonly checkpoint: () => Promise<number>,
    limits: Partial<CheckpointLimits> = {},
  ) {
    this.limits = { ...LIMITS, ...limits };
    this.mostBytes = this.limits.bytes;
  }

  wrote(events: number, bytes: number): void {
    this.events += events;
    this.bytes += bytes;
    const isDue = this.events >= this.limits.events || this.bytes > this.mostBytes;
    if (isDue && !this.waits) void this.run();
    else if (!this.waits) this.wait(this.limits.idleMs);
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private wait(ms: number): void {
    if (this.stopped || this.running) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.waits = false;
      void this.run();
    }, ms).unref();
  }

  private async run(): Promise<void> {
    if (this.running || this.stopped) return;
    this.running = true;
    clearTimeout(this.timer);
    const { bytes, events } = this;
    [this.bytes, this.events] = [0, 0];
    try {
      // a large database is written less often: half of it at most goes through the journal again at a start
      this.mostBytes = Math.max(this.limits.bytes, (await this.checkpoint()) / 2);
    } catch {
      this.bytes += bytes;
      this.events += events;
      this.waits = true;
    }
    this.running = false;
    if (this.waits) this.wait(this.limits.retryMs);
    else if (this.events > 0) this.wait(this.limits.idleMs);
  }
}
