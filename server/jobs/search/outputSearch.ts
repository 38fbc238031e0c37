import type { OutputRef } from "../../protocol/outputs";
import { lineAround, type LiteralFinder } from "./literalFinder";
import type { OutputFiles } from "../outputs/outputFiles";
import { byteTexts } from "../outputs/valueTexts";

const PIECE_BYTES = 262_144;
/** Enough on both sides of a match for the line that is shown of it. */
const CONTEXT_BYTES = 1_024;
const CONTEXT_CHARACTERS = 200;

/** A line that matches, where to go on, or neither at the output's end. */
export type OutputSearch = { line: string } | { next: number } | undefined;

/**
 * Searches the piece of an output that begins at `offset`. Throws FuncError "not-found" where the output
 * is gone, "unavailable".
 */
export async function searchPiece(
  files: OutputFiles,
  ref: OutputRef,
  finder: LiteralFinder,
  offset: number,
): Promise<OutputSearch> {
  // pieces overlap, so that a match across their border is in one of them as a whole, with its line
  const margin = CONTEXT_BYTES + finder.maxBytes;
  const from = Math.max(0, offset - margin);
  const { bytes, total } = await files.read(ref.sha256, from, offset - from + PIECE_BYTES + margin);
  const atEnd = from + bytes.length >= total;
  const whole = from === 0 ? bytes : bytes.subarray(continuationBytes(bytes));
  const texts = ref.kind === "bytes" ? byteTexts(whole) : [whole.toString("utf8")];
  for (const text of texts) {
    const found = finder.find(text, ref.kind === "json");
    if (!found) continue;
    if (!atEnd && found.index + found.length + CONTEXT_CHARACTERS > text.length) continue;
    return { line: lineAround(text, found) };
  }
  return atEnd ? undefined : { next: offset + PIECE_BYTES };
}

/** How many bytes at the start belong to a character before it. */
function continuationBytes(bytes: Buffer): number {
  let count = 0;
  while (count < 3 && ((bytes[count] ?? 0) & 0xc0) === 0x80) count++;
  return count;
}
