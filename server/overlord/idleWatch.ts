/** How often it is looked, at most and at least. */
const SLOWEST_CHECK_MS = 5_000;
const FASTEST_CHECK_MS = 50;

export interface IdleWatchOptions {
  /** End after this long without anything to do. */
  idleMs: number;
  isBusy: () => boolean;
  /** False where the data directory is gone or belongs to another overlord: then it ends at once. */
  ownsData: () => Promise<boolean>;
  end: (why: string) => void;
}

/** Ends an overlord that nobody needs. */
export class IdleWatch {
  private busyAtMs = performance.now();
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly options: IdleWatchOptions) {
    const interval = Math.min(SLOWEST_CHECK_MS, Math.max(FASTEST_CHECK_MS, options.idleMs / 5));
    this.timer = setInterval(() => void this.check(), interval);
  }

  /** Something was done just now. */
  touch(): void {
    this.busyAtMs = performance.now();
  }

  dispose(): void {
    clearInterval(this.timer);
  }

  private async check(): Promise<void> {
    const { idleMs, isBusy, ownsData, end } = this.options;
    if (isBusy()) this.touch();
    else if (performance.now() - this.busyAtMs >= idleMs) {
      end("idle");
      return;
    }
    const owns = await ownsData().catch(() => true); // a passing failure to read is no loss
    if (!owns) end("the data directory is gone or belongs to another overlord");
  }
}
