import { randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** Small pieces are written together. */
const BUFFER_CHARS = 256 * 1024;

/**
 * Writes a file that is there whole or not at all: under another name beside it first, which is removed
 * when anything fails. Throws what `pieces` and the file system throw; cancelled by `signal`.
 */
export async function writeWhole(
  path: string,
  pieces: AsyncIterable<string | Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID().slice(0, 8)}.part`);
  const file = await open(temporary, "wx");
  try {
    try {
      let buffer = "";
      for await (const piece of pieces) {
        signal.throwIfAborted();
        if (typeof piece === "string") buffer += piece;
        if (typeof piece === "string" && buffer.length < BUFFER_CHARS) continue;
        await file.appendFile(buffer);
        buffer = "";
        if (typeof piece !== "string") await file.appendFile(piece);
      }
      signal.throwIfAborted();
      await file.appendFile(buffer);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
