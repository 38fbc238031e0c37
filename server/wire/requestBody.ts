import type { IncomingMessage } from "node:http";
import type { BodyBudget } from "./bodyBudget";
import { SMALL_BODY_BYTES } from "./bodyBudget";
import type { ReceiveDeadlines } from "./bodyPace";
import { BodyPace } from "./bodyPace";
import type { DecodeLimits } from "./decode";
import { HttpRefusal } from "./httpRefusal";
import { IncomingCheck } from "./incomingCheck";
import { GREATEST_RATIO, Unpacker, UNPACKED_FREELY_BYTES } from "./unpacker";

const BAD_REQUEST = 400;
const REQUEST_TIMEOUT = 408;
const LENGTH_REQUIRED = 411;
const TOO_LARGE = 413;

export interface BodyRules {
  limits: DecodeLimits;
  deadlines: ReceiveDeadlines;
  budget: BodyBudget;
}

/** A body that is whole; `release` gives its memory back to the budget. */
export interface ReceivedBody {
  bytes: Buffer;
  release: () => void;
}

/**
 * Receives the body of a request, unpacked where it is gzipped. What cannot become a document that is read is
 * refused while it still comes in. `signal` ends the waiting. Throws HttpRefusal (the status to answer with)
 * or, for what is wrong with the document, FuncError "bad-data" or "too-large".
 */
export async function receiveBody(
  request: IncomingMessage,
  rules: BodyRules,
  signal: AbortSignal,
): Promise<ReceivedBody> {
  const { maxBytes } = rules.limits;
  const coding = request.headers["content-encoding"]?.toLowerCase() ?? "identity";
  const isPacked = coding === "gzip" || coding === "x-gzip";
  if (!isPacked && coding !== "identity") {
    throw new HttpRefusal(BAD_REQUEST, "The content encoding is not known.");
  }
  const length = request.headers["content-length"];
  const declared = length === undefined ? undefined : Number(length);
  if (declared !== undefined && declared > maxBytes) throw tooLarge(maxBytes);
  const size = declared ?? SMALL_BODY_BYTES;
  const memory = isPacked ? Math.max(UNPACKED_FREELY_BYTES, size * GREATEST_RATIO) : size;
  const release = await rules.budget.acquire(
    Math.min(memory, maxBytes),
    rules.deadlines.bodyMs,
    signal,
  );
  try {
    const bytes = await new BodyReader(request, declared, isPacked, rules).read();
    return { bytes, release };
  } catch (error) {
    release();
    throw error;
  }
}

class BodyReader {
  readonly #check: IncomingCheck;
  readonly #maxPacked: number;
  readonly #unpacker: Unpacker | undefined;
  readonly #pieces: Buffer[] = [];
  #checkedPieces = 0;
  #packedBytes = 0;
  #bytes = 0;
  #isWhole = false;
  #checking: NodeJS.Immediate | undefined;
  #fail: (error: Error) => void = () => undefined;

  constructor(
    private readonly request: IncomingMessage,
    private readonly declared: number | undefined,
    isPacked: boolean,
    private readonly rules: BodyRules,
  ) {
    const { limits } = rules;
    this.#check = new IncomingCheck("methodCall", limits);
    this.#maxPacked = declared ?? Math.min(SMALL_BODY_BYTES, limits.maxBytes);
    this.#unpacker = isPacked ? new Unpacker((piece) => this.#take(piece)) : undefined;
  }

  read(): Promise<Buffer> {
    const { request, declared, rules } = this;
    const pace = new BodyPace(declared, rules.deadlines, () => {
      this.#fail(new HttpRefusal(REQUEST_TIMEOUT, "The request came too slowly."));
    });
    const onData = (piece: Buffer): void => {
      pace.received(piece.length);
      this.#receive(piece);
    };
    return new Promise<Buffer>((resolve, reject) => {
      this.#fail = reject;
      request
        .on("data", onData)
        .once("end", () => {
          this.#isWhole = true;
          void this.#whole().then(resolve, reject);
        })
        .once("error", reject)
        .once("close", () => {
          if (this.#isWhole) return;
          reject(new HttpRefusal(BAD_REQUEST, "The connection was closed within the request."));
        });
    }).finally(() => {
      pace.stop();
      clearImmediate(this.#checking);
      this.#unpacker?.close();
      this.#pieces.length = 0;
      request.off("data", onData).pause();
    });
  }

  #receive(piece: Buffer): void {
    this.#packedBytes += piece.length;
    if (this.#packedBytes > this.#maxPacked) {
      this.#fail(
        this.declared === undefined && this.#packedBytes <= this.rules.limits.maxBytes
          ? new HttpRefusal(LENGTH_REQUIRED, "A large request has to say how large it is.")
          : tooLarge(this.#maxPacked),
      );
      return;
    }
    if (!this.#unpacker) {
      this.#take(piece);
      return;
    }
    this.request.pause();
    this.#unpacker.write(piece).then(
      () => this.request.resume(),
      (error: unknown) => {
        this.#fail(error instanceof Error ? error : new Error(String(error)));
      },
    );
  }

  /** Pieces that come together are judged together, and not at all where the body is whole with them. */
  #take(piece: Buffer): void {
    const { maxBytes } = this.rules.limits;
    this.#bytes += piece.length;
    if (this.#bytes > maxBytes) {
      this.#fail(tooLarge(maxBytes));
      return;
    }
    this.#pieces.push(piece);
    this.#checking ??= setImmediate(() => {
      this.#checking = undefined;
      this.#judge();
    });
  }

  #judge(): void {
    try {
      for (; this.#checkedPieces < this.#pieces.length; this.#checkedPieces++) {
        this.#check.accept(this.#pieces[this.#checkedPieces] ?? Buffer.alloc(0));
      }
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  async #whole(): Promise<Buffer> {
    await this.#unpacker?.end();
    const [only] = this.#pieces;
    return only && this.#pieces.length === 1 ? only : Buffer.concat(this.#pieces, this.#bytes);
  }
}

function tooLarge(maxBytes: number): HttpRefusal {
  return new HttpRefusal(TOO_LARGE, `The request has more than ${maxBytes} bytes.`);
}
