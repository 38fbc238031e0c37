import { isUtf8 } from "node:buffer";
import { FuncError } from "../common/errors";
import type { AnswerOutputs } from "./answerOutputs";
import { Base64Stream } from "./base64Stream";
import type { OutputWriter } from "./outputSpool";
import { TextUnescaper } from "./textUnescaper";
import { wholeUtf8 } from "./utf8Cut";
import { XmlRpcSpooled } from "./value";
import { isBlank } from "./xmlCharacters";

/** What was lifted out of a document; in memory where it turned out to be small. */
export type LiftedValue = string | Uint8Array | XmlRpcSpooled;

const HEAD_CHARACTERS = 4_000;
const HEAD_BYTES = 4 * HEAD_CHARACTERS;

/** One long text that is unpacked while it comes in, and written to the spool once it has proven long. */
export class LiftedRun {
  readonly #unescaper: TextUnescaper;
  readonly #base64?: Base64Stream;
  /** What has come, until there is a writer. */
  #pieces: Buffer[] = [];
  #bytes = 0;
  #head: Buffer = Buffer.alloc(0);
  #writer?: OutputWriter;
  #isBlank = true;

  constructor(
    private readonly kind: "text" | "bytes",
    isLatin1: boolean,
    private readonly keptBytes: number,
    private readonly outputs: AnswerOutputs,
  ) {
    if (kind === "bytes") this.#base64 = new Base64Stream();
    this.#unescaper = new TextUnescaper(isLatin1, (bytes) => {
      this.#take(bytes);
    });
  }

  /** True where nothing but white space has come. */
  get isBlank(): boolean {
    return this.#isBlank;
  }

  /** How much of it is in memory. */
  get memoryBytes(): number {
    return this.#writer ? 0 : this.#bytes;
  }

  /** The next piece of text, or of CDATA (`isRaw`). Throws FuncError "bad-data" on what is none. */
  push(piece: Buffer, isRaw: boolean): void {
    if (piece.length > 0) this.#unescaper.push(piece, isRaw);
  }

  /** Markup follows, or the other kind of text. */
  endPart(isRaw: boolean): void {
    this.#unescaper.end(isRaw);
  }

  /** It is whole. Throws FuncError "bad-data" where it is none; rejects where the spool fails. */
  end(): Promise<LiftedValue> {
    if (this.#base64 && !this.#base64.end()) refuseBase64();
    return this.#value();
  }

  async #value(): Promise<LiftedValue> {
    if (this.#writer) {
      const { sha256, bytes } = await this.outputs.finish(this.#writer);
      return new XmlRpcSpooled(this.kind, sha256, bytes, headText(this.#head, bytes));
    }
    const bytes = Buffer.concat(this.#pieces);
    return this.kind === "text" ? bytes.toString("utf8") : new Uint8Array(bytes);
  }

  /** It was white space before an element, and stands for nothing. */
  drop(): void {
    if (this.#writer) this.outputs.drop(this.#writer);
    this.#pieces = [];
  }

  #take(text: Buffer): void {
    this.#isBlank &&= isBlank(text.toString("latin1"));
    const bytes = this.#base64 ? (this.#base64.push(text) ?? refuseBase64()) : text;
    if (this.#head.length < HEAD_BYTES) {
      const more = bytes.subarray(0, HEAD_BYTES - this.#head.length);
      this.#head = Buffer.concat([this.#head, more]);
    }
    this.#bytes += bytes.length;
    if (this.#writer) {
      this.outputs.write(this.#writer, bytes);
      return;
    }
    this.#pieces.push(bytes);
    if (this.#bytes <= this.keptBytes) return;
    const writer = this.outputs.create();
    this.#writer = writer;
    for (const piece of this.#pieces) this.outputs.write(writer, piece);
    this.#pieces = [];
  }
}

function refuseBase64(): never {
  throw new FuncError("bad-data", "Not XML-RPC: text that is no <base64>.");
}

/** How an output of `total` bytes begins; "" where that is no text. */
function headText(head: Buffer, total: number): string {
  const whole = head.length < total ? head.subarray(0, wholeUtf8(head)) : head;
  if (!isUtf8(whole)) return "";
  const text = whole.toString("utf8").slice(0, HEAD_CHARACTERS);
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last < 0xdc00 ? text.slice(0, -1) : text;
}
