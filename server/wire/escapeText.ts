/** "\r" as a reference, since a bare one would be read as "\n"; ">" because of "]]>". */
export function escapeText(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll("\r", "&#13;");
}

/** What `escapeText` makes of each byte: its length, and its bytes in a row of `WIDTH`. */
const WIDTH = 8;
const LENGTHS = new Uint8Array(256).fill(1);
const ROWS = new Uint8Array(256 * WIDTH);
const ESCAPED = ["&", "<", ">", "\r"];
for (const character of ESCAPED) {
  const code = character.charCodeAt(0);
  const bytes = Buffer.from(escapeText(character));
  LENGTHS[code] = bytes.length;
  ROWS.set(bytes, code * WIDTH);
}

/** The bytes of `escapeText(text)`: of a long text with much to escape, in a fraction of the time. */
export function escapedBytes(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = lengthOf(bytes);
  if (length === bytes.length) return bytes;
  const result = Buffer.allocUnsafe(length);
  let from = 0;
  let to = 0;
  // an iterator over the bytes takes twice the time, here and below
  while (from < bytes.length) {
    const byte = bytes[from++] ?? 0;
    const width = LENGTHS[byte] ?? 1;
    if (width === 1) {
      result[to++] = byte;
      continue;
    }
    const row = byte * WIDTH;
    for (let at = row; at < row + width; at++) result[to++] = ROWS[at] ?? 0;
  }
  return result;
}

/** The length of `escapedBytes(text)`. */
export function escapedLength(text: string): number {
  return lengthOf(Buffer.from(text));
}

function lengthOf(bytes: Buffer): number {
  if (!ESCAPED.some((character) => bytes.includes(character, 0, "latin1"))) return bytes.length;
  let length = 0;
  let at = 0;
  while (at < bytes.length) length += LENGTHS[bytes[at++] ?? 0] ?? 1;
  return length;
}
