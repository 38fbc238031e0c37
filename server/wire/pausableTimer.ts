/** A limit whose time does not pass while it is paused. */
export class PausableTimer {
  #timer?: NodeJS.Timeout;
  #leftMs: number;
  #startedAtMs = 0;
  #pauses = 0;

  constructor(
    limitMs: number,
    private readonly passed: () => void,
  ) {
    this.#leftMs = limitMs;
    this.#run();
  }

  /** Pauses may be nested: each needs its `resume`. */
  pause(): void {
    if (this.#pauses++ > 0 || !this.#timer) return;
    clearTimeout(this.#timer);
    this.#leftMs -= performance.now() - this.#startedAtMs;
  }

  resume(): void {
    if (this.#pauses > 0 && --this.#pauses === 0 && this.#timer) this.#run();
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #run(): void {
    this.#startedAtMs = performance.now();
    this.#timer = setTimeout(this.passed, Math.max(0, this.#leftMs));
  }
}
