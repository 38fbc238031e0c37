/** A limit whose time does not pass while it is paused. */
export class PausableTimer {
  #timer?: NodeJS.Timeout;
  #leftMs: number;
  #startedAtMs = 0;

  /** `passed` is called once, unless `clear` comes first. */
  constructor(
    limitMs: number,
    private readonly passed: () => void,
    paused = false,
  ) {
    this.#leftMs = limitMs;
    if (!paused) this.resume();
  }

  pause(): void {
    if (!this.#timer) return;
    this.clear();
    this.#leftMs -= performance.now() - this.#startedAtMs;
  }

  /** After `pause` only. */
  resume(): void {
    this.#startedAtMs = performance.now();
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.passed();
      },
      Math.max(0, this.#leftMs),
    );
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
