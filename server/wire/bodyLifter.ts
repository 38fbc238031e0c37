import { randomBytes } from "node:crypto";
import { FuncError } from "../common/errors";
import type { AnswerOutputs } from "./answerOutputs";
import type { DecodeLimits } from "./decode";
import { GrowingBytes } from "./growingBytes";
import { IncomingCheck } from "./incomingCheck";
import type { LiftedValue } from "./liftedRun";
import { LiftedRun } from "./liftedRun";

/** What is at most looked at in one go: pieces may be of any size. */
const SLICE_BYTES = 64 * 1024;
/** About what a value or member takes in memory until it is kept, its JSON included. */
const ELEMENT_BYTES = 256;
const LESS_THAN = 0x3c;
const GREATER_THAN = 0x3e;
const BANG = 0x21;
const SLASH = 0x2f;
const DASH = 0x2d;
/** How the tags begin that matter here: "string", "value", "base64", and the declaration. */
const TEXT_TAGS = Buffer.from("svb?");
const COMMENT = "<!--";
const CDATA = "<![CDATA[";
const LATIN1 = /^\?xml[ \t\r\n][^>]*encoding[ \t\r\n]*=[ \t\r\n]*["'](?:iso-8859-1|latin1)["']/i;

/** A document without its long texts. */
export interface LiftedDocument {
  /** To be decoded; each long text is a marker in it, which its sender cannot have known. */
  skeleton: Buffer;
  /** By marker. */
  values: ReadonlyMap<string, LiftedValue>;
}

type Mode = "content" | "comment" | "cdata";

/**
 * Takes a `methodResponse` while it comes in, in pieces cut anywhere, and lifts long texts out of it: what
 * stands directly in `<string>`, `<value>` or `<base64>` and has more than `liftBytes` goes to the spool,
 * the rest is kept to be decoded. Throws FuncError "bad-data" and "too-large" at the offending byte.
 */
export class BodyLifter {
  readonly #check: IncomingCheck;
  readonly #skeleton = new GrowingBytes();
  readonly #nonce = randomBytes(16).toString("hex");
  readonly #values: [string, Promise<LiftedValue>][] = [];
  #isLatin1 = false;
  #mode: Mode = "content";
  /** Markup that the last piece cut in two. */
  #rest: Buffer = Buffer.alloc(0);
  /** The kind of text that the innermost open tag has, while nothing but text has followed it. */
  #kind?: "text" | "bytes";
  /** Where in the skeleton that text begins. */
  #textAt = 0;
  #run?: LiftedRun;
  /** Of lifted texts that turned out to be small. */
  #keptBytes = 0;

  constructor(
    private readonly outputs: AnswerOutputs,
    limits: DecodeLimits,
    private readonly liftBytes: number,
  ) {
    this.#check = new IncomingCheck("methodResponse", limits);
  }

  /** What it takes of memory, and will take once it is decoded. */
  get memoryBytes(): number {
    const decoded = this.#check.elements * ELEMENT_BYTES;
    return this.#skeleton.length + decoded + this.#keptBytes + (this.#run?.memoryBytes ?? 0);
  }

  push(piece: Buffer): void {
    for (let at = 0; at < piece.length; at += SLICE_BYTES) {
      const slice = piece.subarray(at, at + SLICE_BYTES);
      this.#check.accept(slice);
      this.#scan(this.#rest.length === 0 ? slice : Buffer.concat([this.#rest, slice]));
    }
  }

  /** The document is whole: settles once all outputs are. Rejects as `push` throws, and as the spool does. */
  async end(): Promise<LiftedDocument> {
    if (this.#run) {
      throw new FuncError("bad-data", "Not XML-RPC: the document ends within an element.");
    }
    this.#skeleton.append(this.#rest);
    const values = new Map<string, LiftedValue>();
    for (const [marker, value] of this.#values) values.set(marker, await value);
    return { skeleton: this.#skeleton.bytes(), values };
  }

  #scan(piece: Buffer): void {
    let bytes = piece;
    let at = 0;
    /** From here on nothing has gone to the skeleton yet. */
    let from = 0;
    for (;;) {
      const textEnd = this.#textEnd(bytes, at);
      const isRaw = this.#mode === "cdata";
      if (this.#run) {
        if (this.#mode !== "comment") this.#run.push(bytes.subarray(at, textEnd), isRaw);
      } else if (this.#isLong(textEnd - from)) {
        // once more from its beginning, and lifted now
        this.#skeleton.append(bytes.subarray(from, textEnd));
        bytes = Buffer.concat([this.#skeleton.cut(this.#textAt), bytes.subarray(textEnd)]);
        this.#startRun();
        at = from = 0;
        continue;
      }
      at = textEnd;
      const markupEnd = this.#markupEnd(bytes, at);
      if (markupEnd < 0) break;
      if (this.#mode !== "comment") this.#run?.endPart(isRaw);
      const second = bytes[at + 1];
      if (this.#mode !== "content") this.#mode = "content";
      else if (second === BANG) this.#mode = bytes[at + 2] === DASH ? "comment" : "cdata";
      else {
        if (this.#run) {
          this.#endRun(this.#run, second !== SLASH);
          from = at;
        }
        const mayHaveText = second !== undefined && TEXT_TAGS.includes(second);
        this.#kind = mayHaveText
          ? this.#kindOf(bytes.toString("latin1", at + 1, markupEnd - 1))
          : undefined;
        this.#textAt = this.#skeleton.length + markupEnd - from;
      }
      at = markupEnd;
      if (this.#run) from = at;
    }
    if (!this.#run) this.#skeleton.append(bytes.subarray(from, at));
    // a copy: the piece may be part of a large one that would stay with it
    this.#rest = at === bytes.length ? EMPTY : Buffer.from(bytes.subarray(at));
  }

  #isLong(moreBytes: number): boolean {
    if (!this.#kind) return false;
    return this.#skeleton.length + moreBytes - this.#textAt > this.liftBytes;
  }

  #startRun(): void {
    const { outputs, liftBytes } = this;
    this.#run = new LiftedRun(this.#kind ?? "text", this.#isLatin1, liftBytes, outputs);
    this.#mode = "content";
  }

  #endRun(run: LiftedRun, beforeElement: boolean): void {
    this.#run = undefined;
    if (beforeElement && run.isBlank) {
      run.drop();
      return;
    }
    this.#keptBytes += run.memoryBytes;
    const marker = `func-lifted:${this.#nonce}:${this.#values.length}`;
    const value = run.end();
    value.catch(() => undefined); // told at the end
    this.#values.push([marker, value]);
    this.#skeleton.append(Buffer.from(marker));
  }

  /** Where the text that begins at `from` ends, or as far as can be told. */
  #textEnd(bytes: Buffer, from: number): number {
    if (this.#mode === "content") {
      const at = bytes.indexOf(LESS_THAN, from);
      return at < 0 ? bytes.length : at;
    }
    const at = bytes.indexOf(this.#mode === "comment" ? "--" : "]]>", from, "latin1");
    // the last two bytes may be the beginning of its end
    return at < 0 ? Math.max(from, bytes.length - 2) : at;
  }

  /** The end of the markup at `from`: of a tag, or of what begins or ends a comment or CDATA; -1 before it has come. */
  #markupEnd(bytes: Buffer, from: number): number {
    if (this.#mode !== "content") {
      return bytes.length >= from + 3 && bytes[from + 2] === GREATER_THAN ? from + 3 : -1;
    }
    if (bytes[from + 1] !== BANG) return bytes.indexOf(GREATER_THAN, from) + 1 || -1;
    const mark = bytes[from + 2] === DASH ? COMMENT : CDATA;
    return bytes.length >= from + mark.length ? from + mark.length : -1;
  }

  /** Which kind of text may follow a tag, that is given without its angle brackets. */
  #kindOf(tag: string): "text" | "bytes" | undefined {
    if (tag.startsWith("?")) this.#isLatin1 = LATIN1.test(tag);
    switch (tag.trimEnd()) {
      case "string":
      case "value":
        return "text";
      case "base64":
        return "bytes";
      default:
        return undefined;
    }
  }
}

const EMPTY = Buffer.alloc(0);
