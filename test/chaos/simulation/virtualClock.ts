/** Work that is due at a point in virtual time. */
interface Due {
  atMs: number;
  order: number;
  run: () => void;
  /** Goes with the process that planned it; undefined for the world's own. */
  process: object | undefined;
}

interface Timer {
  due: Due;
  ref: () => Timer;
  unref: () => Timer;
  hasRef: () => boolean;
  refresh: () => Timer;
}

const BEGIN_MS = Date.UTC(2026, 0, 1);

const real = {
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setImmediate: globalThis.setImmediate,
  clearImmediate: globalThis.clearImmediate,
  dateNow: Date.now.bind(Date),
  random: Math.random.bind(Math),
};

/**
 * Time that passes only when it is told to, for the whole of this Node process: timers, `Date.now()`,
 * `performance.now()`, and `Math.random()` with it.
 */
export class VirtualClock {
  #nowMs = 0;
  #order = 0;
  readonly #due = new Set<Due>();
  #process: object | undefined;

  /** `random`: what `Math.random()` answers from now on. */
  static install(random: () => number): VirtualClock {
    const clock = new VirtualClock();
    const timeout = (run: (...args: unknown[]) => void, afterMs = 0, ...args: unknown[]): Timer =>
      clock.#timer(() => {
        run(...args);
      }, afterMs);
    const clear = (timer?: Timer): void => {
      if (timer) clock.#due.delete(timer.due);
    };
    Object.assign(globalThis, {
      setTimeout: timeout,
      clearTimeout: clear,
      setImmediate: (run: (...args: unknown[]) => void, ...args: unknown[]) =>
        timeout(run, 0, ...args),
      clearImmediate: clear,
    });
    Object.defineProperty(performance, "now", { configurable: true, value: () => clock.#nowMs });
    Date.now = () => BEGIN_MS + clock.#nowMs;
    Math.random = random;
    return clock;
  }

  uninstall(): void {
    const { dateNow, random, ...timers } = real;
    Object.assign(globalThis, timers);
    Reflect.deleteProperty(performance, "now");
    Date.now = dateNow;
    Math.random = random;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** What is planned from now on by timers belongs to this process. */
  runAs(process: object | undefined): void {
    this.#process = process;
  }

  /** All that the process has planned never happens. */
  kill(process: object): void {
    for (const due of this.#due) if (due.process === process) this.#due.delete(due);
  }

  /** Plans for the world, whatever becomes of processes. */
  after(milliseconds: number, run: () => void): void {
    this.#plan(run, milliseconds, undefined);
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(milliseconds, resolve);
    });
  }

  /** Goes on until the condition holds, or `limitMs` of virtual time have passed, or nothing is due: then false. */
  async runUntil(condition: () => boolean, limitMs: number): Promise<boolean> {
    const endMs = this.#nowMs + limitMs;
    for (;;) {
      await settled();
      if (condition()) return true;
      const next = this.#next();
      if (!next || next.atMs > endMs) return false;
      this.#due.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
    }
  }

  #next(): Due | undefined {
    let first: Due | undefined;
    for (const due of this.#due) {
      if (!first || due.atMs < first.atMs || (due.atMs === first.atMs && due.order < first.order)) {
        first = due;
      }
    }
    return first;
  }

  #timer(run: () => void, afterMs: number): Timer {
    const due = this.#plan(run, afterMs, this.#process);
    const timer: Timer = {
      due,
      ref: () => timer,
      unref: () => timer,
      hasRef: () => false,
      refresh: () => timer,
    };
    return timer;
  }

  #plan(run: () => void, afterMs: number, process: object | undefined): Due {
    const due = { atMs: this.#nowMs + Math.max(0, afterMs), order: this.#order++, run, process };
    this.#due.add(due);
    return due;
  }
}

/** All promises that can settle without time passing have settled. */
function settled(): Promise<void> {
  return new Promise((resolve) => void real.setImmediate(resolve));
}
