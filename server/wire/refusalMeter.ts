const SPAN_MS = 60_000;
const TOLD_OF_A_KIND = 5;
const MAX_KINDS = 40;

/**
 * Passes on what was refused, but of each kind no more than 5 in a minute one by one: of the others only the
 * number, when the minute is over. Whoever knocks without an end must not fill the disk with it, nor hide
 * another's attempt among its own.
 */
export class RefusalMeter<Details extends unknown[]> {
  /** How many were told, by kind. */
  readonly #told = new Map<string, number>();
  #untold = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly tell: (...details: Details) => void,
    private readonly tellMore: (count: number) => void,
    private readonly spanMs = SPAN_MS,
  ) {}

  /** `reason`: those that differ in numbers only are of one kind. */
  add(reason: string, ...details: Details): void {
    if (!this.#timer) this.#timer = setTimeout(() => this.#endSpan(), this.spanMs).unref();
    const kind = this.#kindOf(reason);
    const told = this.#told.get(kind) ?? 0;
    if (told >= TOLD_OF_A_KIND) {
      this.#untold++;
      return;
    }
    this.#told.set(kind, told + 1);
    this.tell(...details);
  }

  /** What a client chose may be part of a reason: beyond some kinds, all others are one. */
  #kindOf(reason: string): string {
    const kind = reason.slice(0, 200).replaceAll(/[0-9A-Fa-f]*[0-9][0-9A-Fa-f]*/g, "#");
    return this.#told.has(kind) || this.#told.size < MAX_KINDS ? kind : "";
  }

  #endSpan(): void {
    const untold = this.#untold;
    this.#timer = undefined;
    this.#told.clear();
    this.#untold = 0;
    if (untold > 0) this.tellMore(untold);
  }
}
