import { isAscii, isUtf8 } from "node:buffer";
import { FuncError } from "../common/errors";
import { documentText } from "./documentText";
import { isXmlSpace } from "./xmlCharacters";

const MAX_DECLARATION = 1_000;
const DECLARATION = "<?xml";
/** U+FFFE and U+FFFF in UTF-8, less the last bit. */
const NON_CHARACTER = Buffer.from([0xef, 0xbf]);

/** Judges the encoding and the characters of a document while it comes in. */
export class IncomingCharacters {
  /** How the document begins, until its declaration is whole. */
  #head: Buffer | undefined = Buffer.alloc(0);
  #encoding = "utf-8";
  /** A character that the last piece cut in two. */
  #cut: Buffer = Buffer.alloc(0);

  /**
   * Takes the next piece; returns what can now be looked at behind mark and declaration. Throws FuncError
   * "bad-data" on an encoding that is not read, bytes that are not of it, and characters that XML forbids.
   */
  accept(piece: Buffer): Buffer {
    if (this.#head === undefined) return this.#checked(piece);
    const head = this.#head.length === 0 ? piece : Buffer.concat([this.#head, piece]);
    const start = startOfContent(head);
    if (start === undefined) {
      this.#head = Buffer.from(head);
      return Buffer.alloc(0);
    }
    this.#head = undefined;
    const declaration = head.toString("latin1", 0, start);
    this.#encoding = /encoding[ \t\r\n]*=[ \t\r\n]*["']([^"']*)/.exec(declaration)?.[1] ?? "utf-8";
    return this.#checked(head.subarray(start));
  }

  #checked(piece: Buffer): Buffer {
    if (hasControl(piece)) {
      throw notXml("a control character, which XML forbids");
    }
    switch (this.#encoding.toLowerCase()) {
      case "utf-8":
      case "utf8":
        this.#checkUtf8(piece);
        break;
      case "us-ascii":
      case "ascii":
        if (isAscii(piece)) break;
        throw new FuncError(
          "bad-data",
          "The document says it is US-ASCII, but has bytes beyond it.",
        );
    }
    return piece;
  }

  #checkUtf8(piece: Buffer): void {
    if (this.#cut.length === 0 && isAscii(piece)) return;
    const bytes = this.#cut.length === 0 ? piece : Buffer.concat([this.#cut, piece]);
    const whole = bytes.length - cutBytes(bytes);
    if (!isUtf8(bytes.subarray(0, whole))) {
      throw new FuncError("bad-data", "The document is not valid UTF-8.");
    }
    for (
      let at = bytes.indexOf(NON_CHARACTER);
      at >= 0;
      at = bytes.indexOf(NON_CHARACTER, at + 1)
    ) {
      if ((bytes[at + 2] ?? 0) >= 0xbe) throw notXml("a character that XML forbids");
    }
    this.#cut = Buffer.from(bytes.subarray(whole));
  }
}

/** Where the document begins behind mark and declaration; undefined where more is needed to tell. */
function startOfContent(head: Buffer): number | undefined {
  const [first = 0, second = 0] = head;
  const isSpace = first === 0x20 || first === 0x09 || first === 0x0a || first === 0x0d;
  if (head.length > 0 && first !== 0x3c && first !== 0xef && !isSpace) {
    throw notXml("no XML in an encoding that is read here; send UTF-8");
  }
  if (head.length < 2) return undefined;
  if (second === 0) throw notXml("UTF-16 or UTF-32, which is not read here; send UTF-8");
  if (first === 0xef && head.length < 3) return undefined;
  const mark = first === 0xef && second === 0xbb && head[2] === 0xbf ? 3 : 0;
  if (first === 0xef && mark === 0) throw notXml("text where an element belongs");
  const beginning = head.toString("latin1", mark, mark + DECLARATION.length + 1);
  if (DECLARATION.startsWith(beginning)) return undefined; // may still become one
  if (!/^<\?xml[ \t\r\n]/.test(beginning)) return mark;
  const end = head.indexOf("?>", mark, "latin1");
  if (end < 0 && head.length <= MAX_DECLARATION) return undefined;
  const declared = head.subarray(0, end + 2);
  if (end < 0 || documentText(declared).start === 0) throw notXml("a malformed XML declaration");
  return end + 2;
}

/** How many bytes at the end belong to a character that is not whole. */
function cutBytes(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) {
      if (byte < 0xc2 || byte > 0xf4) return 0; // begins no character
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return back < length ? back : 0;
    }
  }
  return 0;
}

/** True where there is a control character that XML forbids. Looks at four bytes at a time. */
function hasControl(bytes: Buffer): boolean {
  if (bytes.length < 8) return controlWithin(bytes, 0, bytes.length); // may have no whole word
  const lead = Math.min(bytes.length, (4 - (bytes.byteOffset % 4)) % 4);
  const count = (bytes.length - lead) >> 2;
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset + lead, count);
  for (let index = 0; index < count; index++) {
    const word = words[index] ?? 0;
    // not 0 where one of the four is below 0x20; line ends are too, and sorted out then
    if (((word - 0x20202020) & ~word & 0x80808080) === 0) continue;
    const at = lead + index * 4;
    if (controlWithin(bytes, at, at + 4)) return true;
  }
  return controlWithin(bytes, 0, lead) || controlWithin(bytes, lead + count * 4, bytes.length);
}

function controlWithin(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const byte = bytes[at] ?? 0;
    if (byte < 0x20 && !isXmlSpace(byte)) return true;
  }
  return false;
}

function notXml(what: string): FuncError {
  return new FuncError("bad-data", `Not XML-RPC: ${what}.`);
}
