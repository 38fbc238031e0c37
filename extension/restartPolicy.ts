export interface RestartLimits {
  /** This many restarts are made within the window; the next one is refused. */
  maxRestarts: number;
  /** Restarts older than this no longer count. */
  windowMs: number;
  /** Pause before the first restart of a window; each further one doubles it. */
  firstDelayMs: number;
  maxDelayMs: number;
}

/** One crash is an accident, five in three minutes are a fault that a restart does not mend. */
export const RESTART_LIMITS: RestartLimits = {
  maxRestarts: 5,
  windowMs: 180_000,
  firstDelayMs: 250,
  maxDelayMs: 4_000,
};

/** Decides whether and when an overlord that stopped unexpectedly is started again. */
export class RestartPolicy {
  private restarts: number[] = [];

  constructor(private readonly limits: RestartLimits = RESTART_LIMITS) {}

  /**
   * Milliseconds to wait before the restart, which then counts; undefined where there were too many.
   * `nowMs` never runs backwards.
   */
  next(nowMs: number): number | undefined {
    this.restarts = this.restarts.filter((at) => nowMs - at < this.limits.windowMs);
    if (this.restarts.length >= this.limits.maxRestarts) return undefined;
    const delay = this.limits.firstDelayMs * 2 ** this.restarts.length;
    this.restarts.push(nowMs);
    return Math.min(delay, this.limits.maxDelayMs);
  }

  /** Forgets all restarts: the user asked for one by hand. */
  reset(): void {
    this.restarts = [];
  }
}
