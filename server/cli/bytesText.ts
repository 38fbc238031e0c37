import { isUtf8 } from "node:buffer";
import { utf8Runs } from "./utf8Runs";

/** So much of the beginning of an output is judged. */
export const JUDGED_BYTES = 64 * 1024;
/** With more than this share of other bytes, codes are most of what one would see. */
const MOST_OTHER = 0.3;
const NO_BYTES = Buffer.alloc(0);

/** Bytes for people: text in which those that are no UTF-8 are codes, or a line that says that it is no text. */
export function bytesText(bytes: Buffer): string {
  if (isNoText(bytes)) return noTextLine(bytes.length);
  const escaper = new Utf8Escaper();
  return escaper.take(bytes) + escaper.end();
}

/** Stands for so many bytes that are no text. */
export function noTextLine(length: number): string {
  const unit = length === 1 ? "byte" : "bytes";
  return `(${length.toLocaleString("en-US")} ${unit}, no text: use --raw)`;
}

/** Whether bytes (JUDGED_BYTES of them are enough) are neither UTF-8 nor text in a similar encoding. */
export function isNoText(bytes: Buffer): boolean {
  const judged = bytes.subarray(0, JUDGED_BYTES);
  let stray = 0;
  let end = 0;
  for (const run of utf8Runs(judged)) {
    if (!run.valid) stray += run.end - run.start;
    end = run.end;
  }
  // a character that is cut by the end of the judged part is all right
  if (judged.length === bytes.length) stray += judged.length - end;
  if (stray === 0) return false;
  let controls = 0;
  for (const byte of judged) if (isStrangeControl(byte)) controls++;
  return stray + controls > judged.length * MOST_OTHER;
}

/** Turns bytes that come in chunks, cut anywhere, into text, with codes (`\xfc`) for what is no UTF-8. */
export class Utf8Escaper {
  /** A character that is cut by the end of the last chunk. */
  #cut: Buffer = NO_BYTES;

  take(chunk: Buffer): string {
    const bytes = this.#cut.length > 0 ? Buffer.concat([this.#cut, chunk]) : chunk;
    this.#cut = NO_BYTES;
    if (isUtf8(bytes)) return bytes.toString("utf8");
    let text = "";
    let taken = 0;
    for (const { valid, start, end } of utf8Runs(bytes)) {
      text += valid ? bytes.toString("utf8", start, end) : codesOf(bytes.subarray(start, end));
      taken = end;
    }
    this.#cut = bytes.subarray(taken);
    return text;
  }

  /** What is left of a character that never came. */
  end(): string {
    const left = this.#cut;
    this.#cut = NO_BYTES;
    return codesOf(left);
  }
}

function codesOf(bytes: Buffer): string {
  return bytes.toString("hex").replace(/../g, "\\x$&");
}

/** Below a space, but for what text is laid out and coloured with. */
function isStrangeControl(byte: number): boolean {
  return byte < 0x20 && (byte < 0x08 || byte > 0x0d) && byte !== 0x1b;
}
