import { performance, type EventLoopUtilityFunction } from "node:perf_hooks";

/** A process with less spare time than this has no use for more calls, and cannot call others slow. */
const BUSY = 0.9;

/** Room for calls that take long, so that they need not keep others waiting. May be shared by many fan-outs. */
export class AsideLane {
  #taken = 0;

  constructor(
    /** How many there may be at once. */
    private readonly most = 2_000,
    /** What takes longer is slow. */
    readonly slowAfterMs = 1_000,
    private readonly utilization: EventLoopUtilityFunction = performance.eventLoopUtilization,
  ) {}

  /** Begins to watch; what it returns tells whether this process had no time since then. */
  watch(): () => boolean {
    const before = this.utilization();
    return () => this.utilization(before).utilization >= BUSY;
  }

  /** False where it is full. */
  enter(): boolean {
    if (this.#taken >= this.most) return false;
    this.#taken++;
    return true;
  }

  leave(): void {
    this.#taken--;
  }
}

/** The places of one fan-out; free ones go to those that had one before, then to new ones. */
export class Places {
  readonly #returning = new Set<() => void>();

  constructor(
    private free: number,
    /** Begins the next item; false where there is none. */
    private readonly startNext: () => boolean,
  ) {}

  /** Gives free places away. */
  fill(): void {
    while (this.free > 0) {
      const [back] = this.#returning;
      this.free--;
      if (back) {
        this.#returning.delete(back);
        back();
      } else if (!this.startNext()) {
        this.free++;
        return;
      }
    }
  }

  giveBack(): void {
    this.free++;
    this.fill();
  }

  /** `back` is called with a place, as soon as one is free. */
  wantBack(back: () => void): void {
    this.#returning.add(back);
    this.fill();
  }

  forget(back: () => void): void {
    this.#returning.delete(back);
  }
}

/** One item's place among the `nforks`; given up for the lane aside where the item takes long. */
export class Place {
  #aside = false;
  #timer?: NodeJS.Timeout;
  #back?: () => void;

  constructor(
    private readonly places: Places,
    private readonly lane: AsideLane | undefined,
  ) {
    if (lane) this.#leaveWhenSlow(lane);
  }

  /**
   * From here on the item needs a place, however long it takes. Where it has given its own up, the promise
   * resolves once it has one again, or never where the item ends before that.
   */
  keep(): Promise<void> | undefined {
    clearTimeout(this.#timer);
    if (!this.#aside) return undefined;
    return new Promise((resolve) => {
      this.#back = () => {
        this.#back = undefined;
        this.#aside = false;
        this.lane?.leave();
        resolve();
      };
      this.places.wantBack(this.#back);
    });
  }

  /** The item has ended. */
  end(): void {
    clearTimeout(this.#timer);
    if (!this.#aside) {
      this.places.giveBack();
      return;
    }
    if (this.#back) this.places.forget(this.#back);
    this.lane?.leave();
  }

  #leaveWhenSlow(lane: AsideLane): void {
    const wasBusy = lane.watch();
    this.#timer = setTimeout(() => {
      if (!wasBusy() && lane.enter()) {
        this.#aside = true;
        this.places.giveBack();
      } else {
        this.#leaveWhenSlow(lane);
      }
    }, lane.slowAfterMs);
  }
}
