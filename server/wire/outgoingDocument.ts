import { escapedBytes, escapedLength } from "./escapeText";

/** A text or bytes of more than this are written piece by piece as the document goes out. */
export const LARGE_CHARACTERS = 64 * 1024;
/** Bytes of one piece, so that the base64 of each can be joined: a multiple of 3. */
const PIECE_BYTES = 48 * 1024;

/** A text or bytes that stand somewhere in a document. */
export type LargePart = string | Buffer;

/** A document to be sent: both kinds know their `length` in bytes. */
export type OutgoingDocument = Buffer | LargeDocument;

/** A document that is made while it goes out, since it would take several times the memory of its values. */
export class LargeDocument {
  /** In bytes. */
  readonly length: number;

  /** `parts` stand between `texts`, of which there is one more. */
  constructor(
    private readonly texts: readonly string[],
    private readonly parts: readonly LargePart[],
  ) {
    let length = 0;
    for (const text of texts) length += Buffer.byteLength(text);
    for (const part of parts) length += encodedLength(part);
    this.length = length;
  }

  /** From the first to the last byte, in pieces of moderate size. */
  *pieces(): Generator<Buffer> {
    for (const [index, text] of this.texts.entries()) {
      yield Buffer.from(text);
      const part = this.parts[index];
      if (typeof part === "string") {
        for (const slice of slices(part)) yield escapedBytes(slice);
      } else if (part) {
        for (let at = 0; at < part.length; at += PIECE_BYTES) {
          yield Buffer.from(part.toString("base64", at, at + PIECE_BYTES), "latin1");
        }
      }
    }
  }
}

/** No text can have it: XML does not carry it. */
const MARK = "\0";

/** Takes `part` out of the text of a document: what is returned goes there instead. */
export function placeholder(part: LargePart, large: LargePart[]): string {
  large.push(part);
  return MARK;
}

/** The document with `text`, in which the placeholders of `large` stand in order. */
export function documentOf(text: string, large: readonly LargePart[]): OutgoingDocument {
  return large.length === 0 ? Buffer.from(text) : new LargeDocument(text.split(MARK), large);
}

export function wholeDocument(document: OutgoingDocument): Buffer {
  return Buffer.isBuffer(document) ? document : Buffer.concat([...document.pieces()]);
}

function encodedLength(part: LargePart): number {
  if (typeof part !== "string") return Math.ceil(part.length / 3) * 4;
  let length = 0;
  for (const slice of slices(part)) length += escapedLength(slice);
  return length;
}

function* slices(text: string): Generator<string> {
  for (let from = 0; from < text.length;) {
    let to = from + LARGE_CHARACTERS;
    // both halves of a character stay together
    if (isFirstHalf(text.charCodeAt(to - 1))) to++;
    yield text.slice(from, to);
    from = to;
  }
}

function isFirstHalf(code: number): boolean {
  return code >= 0xd800 && code < 0xdc00;
}
