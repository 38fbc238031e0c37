import { isAscii } from "node:buffer";
import { FuncError } from "../common/errors";
import { wholeUtf8 } from "./utf8Cut";
import { resolveEntities } from "./xmlEntities";

const AMPERSAND = 0x26;
const SEMICOLON = 0x3b;
const RETURN = 0x0d;
const BRACKET = 0x5d;
/** The longest reference that IncomingCheck lets pass. */
const MAX_REFERENCE_BYTES = 4_096;

/**
 * Turns the text of an element, as it stands in a document, into what it means, as UTF-8: line ends as
 * "\n", references resolved. It may come in pieces cut anywhere. Its characters have been judged before,
 * by IncomingCheck. Throws FuncError "bad-data" on what is no text.
 */
export class TextUnescaper {
  #rest: Buffer = Buffer.alloc(0);

  constructor(
    private readonly isLatin1: boolean,
    private readonly emit: (bytes: Buffer) => void,
  ) {}

  /** Takes the next piece of text, or of CDATA (`isRaw`). */
  push(piece: Buffer, isRaw: boolean): void {
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    const end = this.#wholePart(bytes, isRaw);
    // a copy: the piece may be part of a large one that would stay with it
    this.#rest = end === bytes.length ? EMPTY : Buffer.from(bytes.subarray(end));
    if (end > 0) this.#unescape(bytes.subarray(0, end), isRaw);
  }

  /** No more of this text, or of this CDATA, follows: what comes next begins anew. */
  end(isRaw: boolean): void {
    const rest = this.#rest;
    this.#rest = EMPTY;
    if (rest.length > 0) this.#unescape(rest, isRaw);
  }

  /** Where that begins whose meaning depends on what follows. */
  #wholePart(bytes: Buffer, isRaw: boolean): number {
    let end = this.isLatin1 ? bytes.length : wholeUtf8(bytes);
    if (end < bytes.length) return end;
    if (!isRaw) {
      const from = Math.max(0, end - MAX_REFERENCE_BYTES);
      const last = bytes.subarray(from).lastIndexOf(AMPERSAND);
      if (last >= 0 && !bytes.includes(SEMICOLON, from + last)) return from + last;
      while (bytes.length - end < 2 && bytes[end - 1] === BRACKET) end--;
    }
    return end === bytes.length && bytes[end - 1] === RETURN ? end - 1 : end;
  }

  #unescape(bytes: Buffer, isRaw: boolean): void {
    const plain = !bytes.includes(RETURN) && (isRaw || !bytes.includes(AMPERSAND));
    const isUtf8 = !this.isLatin1 || isAscii(bytes);
    if (!isRaw && bytes.includes("]]>")) fail('"]]>" outside of CDATA');
    if (plain && isUtf8) {
      this.emit(bytes);
      return;
    }
    let text = bytes.toString(isUtf8 && !isAscii(bytes) ? "utf8" : "latin1");
    if (text.includes("\r")) text = text.replace(/\r\n?/g, "\n");
    this.emit(Buffer.from(isRaw ? text : resolveEntities(text, fail)));
  }
}

const EMPTY = Buffer.alloc(0);

function fail(what: string): never {
  throw new FuncError("bad-data", `Not XML-RPC: ${what}.`);
}
