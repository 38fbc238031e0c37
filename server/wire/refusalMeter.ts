const SPAN_MS = 60_000;
const TOLD_EACH_SPAN = 20;

/**
 * Passes on what was refused, but no more than 20 in a minute one by one: of the others only the number, when
 * the minute is over. Whoever knocks without an end must not fill the disk with it.
 */
export class RefusalMeter<Details extends unknown[]> {
  #told = 0;
  #untold = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly tell: (...details: Details) => void,
    private readonly tellMore: (count: number) => void,
    private readonly spanMs = SPAN_MS,
  ) {}

  add(...details: Details): void {
    if (!this.#timer) this.#timer = setTimeout(() => this.#endSpan(), this.spanMs).unref();
    if (this.#told < TOLD_EACH_SPAN) {
      this.#told++;
      this.tell(...details);
    } else {
      this.#untold++;
    }
  }

  #endSpan(): void {
    const untold = this.#untold;
    this.#timer = undefined;
    this.#told = 0;
    this.#untold = 0;
    if (untold > 0) this.tellMore(untold);
  }
}
