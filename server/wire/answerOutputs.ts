import type { OutputSpool, OutputWriter, SpooledOutput } from "./outputSpool";

/** So many outputs of one answer may be getting their final names at the same time. */
const MAX_FINISHING = 8;

/** The outputs of one answer on their way to the spool. After `discard` nothing of them is left there. */
export class AnswerOutputs {
  readonly #open = new Set<OutputWriter>();
  readonly #finished: SpooledOutput[] = [];
  #finishing = 0;
  #waits: Promise<unknown>[] = [];
  #discarded = false;

  constructor(private readonly spool: OutputSpool) {}

  create(): OutputWriter {
    const writer = this.spool.create();
    this.#open.add(writer);
    return writer;
  }

  write(writer: OutputWriter, piece: Buffer): void {
    if (this.#discarded || piece.length === 0) return;
    if (!writer.write(piece)) this.#waitFor(writer.drained());
  }

  finish(writer: OutputWriter): Promise<SpooledOutput> {
    this.#open.delete(writer);
    this.#finishing++;
    const finished = writer.finish().finally(() => this.#finishing--);
    const kept = finished.then((output) => {
      this.#finished.push(output);
      if (this.#discarded) this.#unclaim();
    });
    if (this.#finishing >= MAX_FINISHING) this.#waitFor(kept);
    else kept.catch(() => undefined); // whoever asks for the output is told
    return finished;
  }

  /** Removes what was begun because of an output that turned out to be none. */
  drop(writer: OutputWriter): void {
    this.#open.delete(writer);
    void writer.discard();
  }

  /** Resolves when the disk can take more; undefined where it can at once. Rejects where it fails. */
  wait(): Promise<unknown> | undefined {
    const waits = this.#waits;
    if (waits.length === 0) return undefined;
    this.#waits = [];
    return waits.length === 1 ? waits[0] : Promise.all(waits);
  }

  /** The answer failed, or nobody wants it: nothing of it is kept. */
  discard(): void {
    if (this.#discarded) return;
    this.#discarded = true;
    for (const writer of this.#open) void writer.discard();
    this.#open.clear();
    this.#unclaim();
  }

  #unclaim(): void {
    for (const output of this.#finished.splice(0)) this.spool.unclaim(output);
  }

  #waitFor(promise: Promise<unknown>): void {
    promise.catch(() => undefined); // told by `wait`, or no longer of interest
    this.#waits.push(promise);
  }
}
