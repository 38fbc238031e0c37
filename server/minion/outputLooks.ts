import { setTimeout as sleep } from "node:timers/promises";

/** Often enough to look immediate; nothing is looked at while nobody waits. */
const LOOK_EVERY_MS = 100;

interface Waiter {
  isNew: () => Promise<boolean>;
  done: () => void;
}

/** Looks again and again for what callers wait for on the disk, for all of them in one round after the other. */
export class OutputLooks {
  readonly #waiting = new Set<Waiter>();
  #looking = false;

  /** Settles once `isNew` answers true or fails, or `signal` is aborted. */
  until(isNew: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiting.delete(waiter);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const waiter = { isNew, done };
      signal.addEventListener("abort", done);
      this.#waiting.add(waiter);
      if (!this.#looking) void this.#look();
    });
  }

  async #look(): Promise<void> {
    this.#looking = true;
    while (this.#waiting.size > 0) {
      for (const { isNew, done } of [...this.#waiting]) {
        if (await isNew().catch(() => true)) done();
      }
      await sleep(LOOK_EVERY_MS, undefined, { ref: false });
    }
    this.#looking = false;
  }
}
