import type { Log } from "./log";

const EVERY_MS = 60_000;

/** A warning that may come thousands of times: the first is logged, then one line a minute with their number. */
export class RareWarning {
  private untold = 0;
  private toldAtMs: number | undefined;

  constructor(
    private readonly log: Pick<Log, "warn">,
    private readonly message: string,
  ) {}

  warn(details: Record<string, string>): void {
    this.untold++;
    const now = performance.now();
    if (this.toldAtMs !== undefined && now - this.toldAtMs < EVERY_MS) return;
    this.log.warn(this.message, { ...details, times: this.untold });
    this.toldAtMs = now;
    this.untold = 0;
  }
}
