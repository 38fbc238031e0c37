import { createGunzip } from "node:zlib";
import { HttpRefusal } from "./httpRefusal";

/** Up to here a body may unpack to whatever it likes; beyond, to no more than GREATEST_RATIO times its size. */
export const UNPACKED_FREELY_BYTES = 4 * 1024 * 1024;
/** Logs of equal lines pack to a fiftieth; gzip itself ends at a thousandth. */
export const GREATEST_RATIO = 100;

const BAD_REQUEST = 400;
const TOO_LARGE = 413;

/** Unpacks gzip while it comes in, and stops at a bomb before it has gone off. */
export class Unpacker {
  readonly #gunzip = createGunzip();
  #packed = 0;
  #unpacked = 0;
  #fail: (error: Error) => void = () => undefined;
  /** Rejects with HttpRefusal as soon as the data cannot be unpacked. */
  readonly #failed: Promise<never>;

  constructor(onPiece: (piece: Buffer) => void) {
    this.#failed = new Promise((_resolve, reject) => (this.#fail = reject));
    this.#failed.catch(() => undefined); // whoever writes or ends is told
    this.#gunzip
      .on("data", (piece: Buffer) => {
        this.#unpacked += piece.length;
        const most = Math.max(UNPACKED_FREELY_BYTES, this.#packed * GREATEST_RATIO);
        if (this.#unpacked > most) {
          this.#fail(
            new HttpRefusal(
              TOO_LARGE,
              `The body unpacks to more than ${GREATEST_RATIO} times its size.`,
            ),
          );
          this.close();
          return;
        }
        onPiece(piece);
      })
      .on("error", () => {
        this.#fail(new HttpRefusal(BAD_REQUEST, "The request's gzip data is damaged."));
      });
  }

  /** Resolves when the piece is unpacked. Throws HttpRefusal. */
  write(piece: Buffer): Promise<void> {
    this.#packed += piece.length;
    const written = new Promise<void>((resolve) => {
      this.#gunzip.write(piece, () => {
        resolve();
      });
    });
    return Promise.race([written, this.#failed]);
  }

  /** Resolves when all is unpacked. Throws HttpRefusal. */
  end(): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      this.#gunzip.once("end", resolve);
      this.#gunzip.end();
    });
    return Promise.race([ended, this.#failed]);
  }

  close(): void {
    this.#gunzip.removeAllListeners("data").destroy();
  }
}
