import { FuncError } from "../common/errors";

/** For so long the oldest may hold up others. */
const PATIENCE_MS = 20_000;
/** Room that one waiting answer is taken to need when it goes on. */
const STEP_BYTES = 64 * 1024;

/**
 * How much memory all answers that come in at the same time may take together. Beyond it answers wait,
 * except for the oldest: it may take what it needs, so that there is always one that ends; but not for
 * ever while others wait, or one minion that dribbles would hold up all.
 */
export class DecodeBudget {
  /** In the order of their beginning. */
  readonly #shares = new Set<BudgetShare>();
  #used = 0;
  /** Since when others wait for the one that is the oldest now. */
  #waitingSince: number | undefined;

  constructor(
    private readonly maxBytes: number,
    private readonly patienceMs = PATIENCE_MS,
  ) {}

  /** What all answers take now. */
  get usedBytes(): number {
    return this.#used;
  }

  open(): BudgetShare {
    const share: BudgetShare = new BudgetShare({
      change: (bytes) => {
        this.#used += bytes;
        if (this.#shares.size > 1) this.#wake();
      },
      mayGoOn: () => {
        if (this.#used <= this.maxBytes) return true;
        if (this.#oldest() !== share) return false;
        this.#checkPatience();
        return true;
      },
      waits: () => {
        this.#waitingSince ??= Date.now();
      },
      closed: () => {
        this.#shares.delete(share);
        this.#waitingSince = undefined;
        this.#wake();
        if ([...this.#shares].some((other) => other.waiting)) this.#waitingSince = Date.now();
      },
    });
    this.#shares.add(share);
    return share;
  }

  #checkPatience(): void {
    if (this.#waitingSince === undefined) return;
    if (Date.now() - this.#waitingSince < this.patienceMs) return;
    throw new FuncError(
      "too-large",
      `the answer needs more memory than all answers together may take (${this.maxBytes} bytes), and has held up others for ${this.patienceMs / 1000} s`,
    );
  }

  #oldest(): BudgetShare | undefined {
    const [oldest] = this.#shares;
    return oldest;
  }

  #wake(): void {
    this.#oldest()?.wake();
    let room = this.maxBytes - this.#used;
    if (room < 0) return;
    for (const share of this.#shares) {
      if (share.wake()) room -= STEP_BYTES;
      if (room < 0) return;
    }
  }
}

interface BudgetSide {
  change: (bytes: number) => void;
  /** Throws FuncError "too-large" where it has held up others for too long. */
  mayGoOn: () => boolean;
  waits: () => void;
  closed: () => void;
}

/** The part of one answer. */
export class BudgetShare {
  #bytes = 0;
  #room?: Promise<void>;
  #wake?: () => void;
  #closed = false;

  constructor(private readonly budget: BudgetSide) {}

  /** What the answer takes from now on. */
  set(bytes: number): void {
    if (this.#closed || bytes === this.#bytes) return;
    const change = bytes - this.#bytes;
    this.#bytes = bytes;
    this.budget.change(change);
  }

  /** True while it waits for room. */
  get waiting(): boolean {
    return this.#wake !== undefined;
  }

  /**
   * Resolves when the answer may take more; undefined where it may at once. Throws FuncError "too-large"
   * where it has held up others for too long.
   */
  room(): Promise<void> | undefined {
    if (this.#room) return this.#room;
    if (this.#closed || this.budget.mayGoOn()) return undefined;
    this.#room = new Promise((resolve) => {
      this.#wake = resolve;
    });
    this.budget.waits();
    return this.#room;
  }

  /** True where it has been waiting. */
  wake(): boolean {
    const wake = this.#wake;
    this.#wake = undefined;
    this.#room = undefined;
    wake?.();
    return wake !== undefined;
  }

  /** Gives back all that it takes; whoever waits for its room goes on. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.wake();
    this.budget.change(-this.#bytes);
    this.budget.closed();
  }
}
