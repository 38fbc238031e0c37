import type { Gunzip } from "node:zlib";
import { createGunzip } from "node:zlib";
import { FuncError } from "../common/errors";
import type { AnswerBody } from "./answerBody";
import type { DecodedResponse } from "./decode";
import { GREATEST_RATIO, UNPACKED_FREELY_BYTES } from "./unpacker";

/** Unpacks a gzipped body while it comes in, and stops at more than `maxBytes`. */
export class GunzippedBody implements AnswerBody {
  readonly #gunzip: Gunzip = createGunzip({ chunkSize: 64 * 1024 });
  readonly #ended: Promise<void>;
  #bytes = 0;
  #packedBytes = 0;

  constructor(
    private readonly body: AnswerBody,
    private readonly maxBytes: number,
  ) {
    this.#ended = new Promise((resolve, reject) => {
      this.#gunzip.once("end", resolve).once("error", reject);
    });
    this.#ended.catch(() => undefined); // told by `push` and `end`
    this.#gunzip.on("data", (piece: Buffer) => {
      this.#pass(piece);
    });
  }

  /** Always gives a promise: whether the piece is any good is known once it is unpacked. */
  push(piece: Buffer): Promise<unknown> {
    this.#packedBytes += piece.length;
    const taken = new Promise((resolve) => {
      this.#gunzip.write(piece, resolve);
    });
    return Promise.race([taken, this.#ended]);
  }

  async end(): Promise<DecodedResponse> {
    this.#gunzip.end();
    await this.#ended;
    return this.body.end();
  }

  discard(): void {
    this.#gunzip.destroy();
    this.body.discard();
  }

  #pass(piece: Buffer): void {
    this.#bytes += piece.length;
    try {
      if (this.#bytes > this.maxBytes) {
        throw new FuncError("too-large", `the answer unpacks to more than ${this.maxBytes} bytes`);
      }
      if (this.#bytes > Math.max(UNPACKED_FREELY_BYTES, this.#packedBytes * GREATEST_RATIO)) {
        const what = `the answer unpacks to more than ${GREATEST_RATIO} times its size`;
        throw new FuncError("too-large", what);
      }
      const wait = this.body.push(piece);
      if (!wait) return;
      this.#gunzip.pause();
      wait.then(
        () => this.#gunzip.resume(),
        (error: unknown) => {
          this.#fail(error);
        },
      );
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#gunzip.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}
