import type { OutputReader } from "../client/outputs";
import { inertText } from "../common/inertText";
import { jsonChunks, linesChunks, type PieceContext } from "./pieceChunks";
import type { Piece } from "./pieces";
import type { Sink } from "./sink";

/** Small pieces are written together, up to about this many characters. */
const BATCH_CHARS = 64 * 1024;

/**
 * Writes pieces no faster than they are taken: memory holds a chunk or two, however large they are.
 * Throws as `outputChunks` does.
 */
export async function printPieces(
  sink: Sink,
  reader: OutputReader,
  pieces: Iterable<Piece>,
): Promise<void> {
  const context: PieceContext = { reader, terminal: sink.terminal };
  let batch = "";
  const flush = async (): Promise<void> => {
    const text = batch;
    batch = "";
    await sink.chunk(sink.terminal ? inertText(text) : text);
  };
  for (const piece of pieces) {
    if (typeof piece === "string") {
      batch += piece;
      if (batch.length >= BATCH_CHARS) await flush();
      continue;
    }
    await flush();
    const chunks =
      piece.kind === "lines" ? linesChunks(piece, context) : jsonChunks(piece, context);
    for await (const chunk of chunks) await sink.chunk(chunk);
  }
  await flush();
}
