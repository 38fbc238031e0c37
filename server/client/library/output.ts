import { FuncError } from "../../common/errors";
import type { OutputRef } from "../../protocol/outputs";
import { outputChunks, readOutput, type OutputReader } from "../outputs";

/** More than this is only read in pieces, unless asked for. */
const MAX_WHOLE_BYTES = 256 * 1024 * 1024;

/** How much of an output is read at once, and until when. */
export interface ReadOptions {
  /** Throws "too-large" instead of reading more than this; default 256 MiB. */
  maxBytes?: number;
  signal?: AbortSignal;
}

/**
 * A text or bytes of more than 64 KiB, which the overlord keeps on its disk as long as the job: read as a whole, or
 * piece by piece with `for await (const piece of output.pieces())`. Reading throws FuncError "not-found" once the job was
 * forgotten.
 */
export class Output {
  /** Size in bytes. */
  readonly size: number;
  /** Hex SHA-256 of the bytes: outputs that are equal have the same. */
  readonly sha256: string;
  /** How it begins, at most 4,000 characters; nothing of bytes that are no text. */
  readonly head: string;
  readonly #ref: OutputRef;
  readonly #reader: OutputReader;

  private constructor(ref: OutputRef, reader: OutputReader) {
    this.#ref = ref;
    this.#reader = reader;
    this.size = ref.bytes;
    this.sha256 = ref.sha256;
    this.head = ref.head;
  }

  /** @internal */
  static of(ref: OutputRef, reader: OutputReader): Output {
    return new Output(ref, reader);
  }

  /** All of it as text (UTF-8). */
  async text(options?: ReadOptions): Promise<string> {
    const bytes = await this.#whole(options);
    return bytes.toString("utf8");
  }

  /** All of it. */
  async bytes(options?: ReadOptions): Promise<Uint8Array> {
    return this.#whole(options);
  }

  /** The bytes in pieces of at most 1 MiB; the next one is read while one is used. */
  pieces(): AsyncGenerator<Uint8Array, void, undefined> {
    return outputChunks(this.#reader, this.#ref);
  }

  /** Without its content: `{"$output": {sha256, bytes}}`. */
  toJSON(): unknown {
    return { $output: { sha256: this.sha256, bytes: this.size } };
  }

  async #whole({ maxBytes = MAX_WHOLE_BYTES, signal }: ReadOptions = {}): Promise<Buffer> {
    if (this.size > maxBytes) {
      throw new FuncError(
        "too-large",
        `The output has ${this.size} bytes, at most ${maxBytes} are read at once.`,
        "Read it in pieces: for await (const piece of output.pieces()).",
      );
    }
    return readOutput(this.#reader, this.#ref, signal ? { signal } : {});
  }
}
