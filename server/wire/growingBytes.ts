const FIRST_BYTES = 16 * 1024;

/** Bytes that are put together piece by piece, without keeping the pieces they came in. */
export class GrowingBytes {
  #buffer: Buffer = Buffer.alloc(0);
  #length = 0;

  /** `expectedBytes`: what a peer says there will be. It is believed once a quarter of it has come. */
  constructor(private readonly expectedBytes = 0) {}

  get length(): number {
    return this.#length;
  }

  append(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#buffer.length) this.#grow(length);
    this.#buffer.set(bytes, this.#length);
    this.#length = length;
  }

  /** Removes what is behind `from`, and returns a copy of it. */
  cut(from: number): Buffer {
    const rest = Buffer.from(this.#buffer.subarray(from, this.#length));
    this.#length = from;
    return rest;
  }

  /** All of it; not a copy. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  #grow(least: number): void {
    const doubled = Math.max(FIRST_BYTES, least, this.#buffer.length * 2);
    const { expectedBytes } = this;
    const size = expectedBytes >= least && expectedBytes <= 2 * doubled ? expectedBytes : doubled;
    const next = Buffer.allocUnsafeSlow(size);
    this.#buffer.copy(next, 0, 0, this.#length);
    this.#buffer = next;
  }
}
