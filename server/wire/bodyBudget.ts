import { HttpRefusal } from "./httpRefusal";

/** Bodies up to this size never wait: there are no more of them than connections. */
export const SMALL_BODY_BYTES = 64 * 1024;
const UNAVAILABLE = 503;

interface Waiting {
  bytes: number;
  begin: () => void;
}

/**
 * Bounds the bodies that are being received at the same time: each is given its whole size or waits, in the
 * order of coming, so that none can stop in the middle for want of memory.
 */
export class BodyBudget {
  readonly #total: number;
  #free: number;
  readonly #waiting: Waiting[] = [];

  constructor(totalBytes: number) {
    this.#total = totalBytes;
    this.#free = totalBytes;
  }

  /**
   * Resolves with a function that gives the bytes back, to be called once or more. Throws HttpRefusal 503
   * where they were not free within `withinMs`, or `signal` was aborted.
   */
  acquire(bytes: number, withinMs: number, signal: AbortSignal): Promise<() => void> {
    if (bytes <= SMALL_BODY_BYTES) return Promise.resolve(() => undefined);
    const share = Math.min(bytes, this.#total);
    if (this.#waiting.length === 0 && share <= this.#free)
      return Promise.resolve(this.#take(share));
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", giveUp);
      };
      const entry: Waiting = {
        bytes: share,
        begin: () => {
          stop();
          resolve(this.#take(share));
        },
      };
      const giveUp = (): void => {
        stop();
        const at = this.#waiting.indexOf(entry);
        if (at >= 0) this.#waiting.splice(at, 1);
        this.#next();
        reject(new HttpRefusal(UNAVAILABLE, "Too many large requests are being received."));
      };
      const timer = setTimeout(giveUp, withinMs).unref();
      signal.addEventListener("abort", giveUp);
      this.#waiting.push(entry);
      if (signal.aborted) giveUp();
    });
  }

  #take(bytes: number): () => void {
    this.#free -= bytes;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#free += bytes;
      this.#next();
    };
  }

  #next(): void {
    for (
      let first = this.#waiting[0];
      first && first.bytes <= this.#free;
      first = this.#waiting[0]
    ) {
      this.#waiting.shift();
      first.begin();
    }
  }
}
