import { wholeUtf8 } from "../../wire/utf8Cut";

const MAX_BYTES = 16_384;
/** Of a text in a message; a zero byte has six there. */
const MAX_JSON_BYTES = 49_152;

/** Bytes as texts at the borders of characters, each small enough for a message; what is no UTF-8 is U+FFFD. */
export function* outputTexts(bytes: Uint8Array): Generator<{ text: string; bytes: number }> {
  let most = MAX_BYTES;
  for (let at = 0; at < bytes.length;) {
    const slice = Buffer.from(bytes.buffer, bytes.byteOffset + at, bytes.length - at);
    const part = slice.subarray(0, most);
    // what is left at the very end may be half a character: nothing more comes
    const length = part.length < slice.length ? wholeUtf8(part) || part.length : part.length;
    const text = part.toString("utf8", 0, length);
    if (length > 4 && Buffer.byteLength(JSON.stringify(text)) > MAX_JSON_BYTES) {
      most = Math.ceil(length / 2);
      continue;
    }
    yield { text, bytes: length };
    at += length;
    most = MAX_BYTES;
  }
}
