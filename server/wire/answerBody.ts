import { FuncError } from "../common/errors";
import type { AnswerMemory } from "./answerMemory";
import { AnswerOutputs } from "./answerOutputs";
import { BodyLifter } from "./bodyLifter";
import type { DecodedResponse, DecodeLimits } from "./decode";
import { decodeResponse } from "./decode";
import type { BudgetShare } from "./decodeBudget";
import { GrowingBytes } from "./growingBytes";
import { GunzippedBody } from "./gunzippedBody";
import type { OutputSpool } from "./outputSpool";

/** Takes the body of an answer while it comes in. Errors are FuncErrors that do not name the peer. */
export interface AnswerBody {
  /** Where it gives a promise, nothing more may come before that resolves. Throws or rejects where the body is no good. */
  push(piece: Buffer): Promise<unknown> | undefined;
  /** The body is whole: resolves with what it says. */
  end(): Promise<DecodedResponse>;
  /** Nobody wants it (any more): nothing of it is kept. May be called at any time. */
  discard(): void;
}

export interface AnswerBodyOptions {
  limits: DecodeLimits;
  /** Of the memory for all answers. */
  share: BudgetShare;
  /** Keeps the share until the value is no longer in use; without it, until the value is decoded. */
  memory: AnswerMemory | undefined;
  /** Texts of more than `liftBytes` go there; undefined to keep all in memory. */
  spool: OutputSpool | undefined;
  liftBytes: number;
}

/** What an answer's head says about its body. */
export interface AnswerHead {
  headers: ReadonlyMap<string, string>;
  /** Content-Length, which need not be true. */
  length?: number;
}

/** Throws FuncError "bad-data" on a content coding that is not known here. */
export function openAnswerBody(head: AnswerHead, options: AnswerBodyOptions): AnswerBody {
  const coding = head.headers.get("content-encoding")?.toLowerCase() ?? "identity";
  const isPlain = coding === "identity";
  if (!isPlain && coding !== "gzip" && coding !== "x-gzip") {
    throw new FuncError("bad-data", `the content encoding "${coding.slice(0, 40)}" is not known`);
  }
  const body = options.spool
    ? new LiftedAnswer(options, options.spool)
    : new CollectedAnswer(options, isPlain ? (head.length ?? 0) : 0);
  return isPlain ? body : new GunzippedBody(body, options.limits.maxBytes);
}

/** Long texts go to the spool, the rest is decoded. */
class LiftedAnswer implements AnswerBody {
  readonly #outputs: AnswerOutputs;
  readonly #lifter: BodyLifter;

  constructor(
    private readonly options: AnswerBodyOptions,
    spool: OutputSpool,
  ) {
    this.#outputs = new AnswerOutputs(spool);
    this.#lifter = new BodyLifter(this.#outputs, options.limits, options.liftBytes);
  }

  push(piece: Buffer): Promise<unknown> | undefined {
    this.#lifter.push(piece);
    const { share } = this.options;
    share.set(this.#lifter.memoryBytes);
    const disk = this.#outputs.wait();
    const room = share.room();
    return disk && room ? Promise.all([disk, room]) : (disk ?? room);
  }

  async end(): Promise<DecodedResponse> {
    const { limits, share } = this.options;
    const { skeleton, values } = await this.#lifter.end();
    share.set(this.#lifter.memoryBytes);
    await roomOf(share);
    const answer = decodeResponse(skeleton, limits, values);
    decoded(this.options);
    if ("fault" in answer) this.#outputs.discard(); // its text is shortened to the head
    return answer;
  }

  discard(): void {
    this.#outputs.discard();
    this.options.share.close();
  }
}

/** All of it is decoded. */
class CollectedAnswer implements AnswerBody {
  readonly #bytes: GrowingBytes;

  constructor(
    private readonly options: AnswerBodyOptions,
    expectedBytes: number,
  ) {
    this.#bytes = new GrowingBytes(Math.min(expectedBytes, options.limits.maxBytes));
  }

  push(piece: Buffer): Promise<unknown> | undefined {
    this.#bytes.append(piece);
    this.options.share.set(this.#bytes.length);
    return this.options.share.room();
  }

  async end(): Promise<DecodedResponse> {
    const answer = decodeResponse(this.#bytes.bytes(), this.options.limits);
    decoded(this.options);
    return answer;
  }

  discard(): void {
    this.options.share.close();
  }
}

/** Others may have taken the room while it was waited for. */
async function roomOf(share: BudgetShare): Promise<void> {
  for (let room = share.room(); room; room = share.room()) await room;
}

function decoded({ share, memory }: AnswerBodyOptions): void {
  if (!memory) share.close();
  else {
    memory.hold(() => {
      share.close();
    });
  }
}
