import type { ByteSource } from "./byteSource";
import { utf8Border } from "./utf8Border";

/** Editors are slow with more, and VS Code opens nothing above 50 MiB. */
export const PART_BYTES = 4 * 1024 * 1024;
/** How far before its nominal end a part may end, for the end of a line. */
const MAX_LINE_BYTES = 64 * 1024;

/** How many parts a document of `bytes` bytes has; at least one. */
export function partCount(bytes: number, partBytes = PART_BYTES): number {
  return Math.max(1, Math.ceil(bytes / partBytes));
}

/**
 * One part (counted from 1) as text. Parts follow each other without gap or overlap; each begins at the
 * beginning of a line, or where lines are long, of a character. What an editor takes for a binary file is
 * made text: bytes that are no UTF-8 are U+FFFD, NUL is its picture. Throws as the source does.
 */
export async function partText(
  source: ByteSource,
  part: number,
  signal?: AbortSignal,
  partBytes = PART_BYTES,
): Promise<string> {
  const count = partCount(source.bytes, partBytes);
  const start = await border(source, Math.min(part - 1, count) * partBytes, signal);
  const end = await border(source, Math.min(part, count) * partBytes, signal);
  const bytes = await source.read(start, end - start, signal);
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  return text.replaceAll("\0", "\u2400");
}

/** Where the part that would begin at `nominal` begins. */
async function border(
  source: ByteSource,
  nominal: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  if (nominal <= 0) return 0;
  if (nominal >= source.bytes) return source.bytes;
  const first = Math.max(0, nominal - MAX_LINE_BYTES);
  const before = await source.read(first, nominal - first, signal);
  const newline = before.lastIndexOf(0x0a);
  return first + (newline >= 0 ? newline + 1 : utf8Border(before, before.length));
}
