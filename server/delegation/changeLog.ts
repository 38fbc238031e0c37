import { randomBytes } from "node:crypto";

const CURSOR = /^([0-9a-f]{12}):(\d{1,15})$/;

/**
 * What has changed, in order, for readers that say how far they came: each name stands in it once, where it changed
 * last. A cursor is "EPOCH:N"; one of another log (of an overlord that ended, say) counts as none.
 */
export class ChangeLog {
  readonly #epoch = randomBytes(6).toString("hex");
  /** By number, ascending; a name's earlier changes stay until the next tidying. */
  #changes: { at: number; name: string }[] = [];
  readonly #last = new Map<string, number>();
  readonly #waiting = new Set<() => void>();
  #count = 0;
  #lastEnd = 0;

  changed(name: string, isEnd = false): void {
    const at = ++this.#count;
    if (isEnd) this.#lastEnd = at;
    this.#last.set(name, at);
    this.#changes.push({ at, name });
    if (this.#changes.length > 2 * this.#last.size + 16) this.#tidy();
  }

  /** Lets readers that wait go on. */
  wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** The number of a cursor; 0 for none of this log. */
  placeOf(cursor: string): number {
    const [, epoch, place] = CURSOR.exec(cursor) ?? [];
    const at = epoch === this.#epoch ? Number(place) : 0;
    return at <= this.#count ? at : 0;
  }

  cursorAt(place: number): string {
    return `${this.#epoch}:${place}`;
  }

  hasNews(place: number): boolean {
    return place < this.#count;
  }

  hasEnd(place: number): boolean {
    return place < this.#lastEnd;
  }

  /** What has changed last after that place, oldest first. */
  *since(place: number): Generator<{ at: number; name: string }> {
    for (let index = this.#indexAfter(place); index < this.#changes.length; index++) {
      const change = this.#changes[index];
      if (change && this.#last.get(change.name) === change.at) yield change;
    }
  }

  /** Until `wake`, or the signal aborts, or `waitMs` are over. */
  async wait(waitMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || waitMs <= 0) return;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
        this.#waiting.delete(end);
        resolve();
      };
      const timer = setTimeout(end, waitMs);
      signal.addEventListener("abort", end);
      this.#waiting.add(end);
    });
  }

  #indexAfter(place: number): number {
    let low = 0;
    let high = this.#changes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#changes[middle]?.at ?? Infinity) <= place) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #tidy(): void {
    this.#changes = this.#changes.filter(({ at, name }) => this.#last.get(name) === at);
  }
}
