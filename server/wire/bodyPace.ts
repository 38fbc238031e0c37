import { SMALL_BODY_BYTES } from "./bodyBudget";

/** How long a peer may take to send what it has begun to send. All in ms. */
export interface ReceiveDeadlines {
  /** From the first moment of a connection to the end of its first request's headers. */
  headersMs: number;
  /** For a body of up to 64 KiB, or of unknown size. */
  smallBodyMs: number;
  /** For any other body: 256 MiB over a slow line. */
  bodyMs: number;
  /** In each span of this length a larger body has to come on by `leastBytesPerSecond`, on average. */
  paceMs: number;
  leastBytesPerSecond: number;
}

export const DEFAULT_DEADLINES: ReceiveDeadlines = {
  headersMs: 30_000,
  smallBodyMs: 30_000,
  bodyMs: 300_000,
  paceMs: 60_000,
  leastBytesPerSecond: 1_024,
};

/** Watches that one body comes in fast enough; calls `onLate` once where it does not. */
export class BodyPace {
  #bytes = 0;
  readonly #deadline: NodeJS.Timeout;
  readonly #spans: NodeJS.Timeout | undefined;

  constructor(declaredBytes: number | undefined, deadlines: ReceiveDeadlines, onLate: () => void) {
    const { smallBodyMs, bodyMs, paceMs, leastBytesPerSecond } = deadlines;
    const isSmall = declaredBytes === undefined || declaredBytes <= SMALL_BODY_BYTES;
    const late = (): void => {
      this.stop();
      onLate();
    };
    this.#deadline = setTimeout(late, isSmall ? smallBodyMs : bodyMs).unref();
    if (isSmall) return;
    let before = 0;
    this.#spans = setInterval(() => {
      if (this.#bytes - before < (leastBytesPerSecond * paceMs) / 1_000) late();
      before = this.#bytes;
    }, paceMs).unref();
  }

  received(bytes: number): void {
    this.#bytes += bytes;
  }

  stop(): void {
    clearTimeout(this.#deadline);
    clearInterval(this.#spans);
  }
}
