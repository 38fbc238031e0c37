import { open } from "node:fs/promises";

/** Enough for the last lines; a log may have megabytes. */
const MAX_BYTES = 64 * 1024;

/** The last `count` lines of a text file, undefined where it cannot be read. */
export async function lastLines(file: string, count: number): Promise<string[] | undefined> {
  try {
    const handle = await open(file, "r");
    try {
      const { size } = await handle.stat();
      const length = Math.min(size, MAX_BYTES);
      const { buffer, bytesRead } = await handle.read({
        buffer: Buffer.alloc(length),
        position: size - length,
      });
      const lines = buffer.toString("utf8", 0, bytesRead).split(/\r?\n/);
      if (length < size) lines.shift(); // begins in the middle
      if (lines.at(-1) === "") lines.pop();
      return lines.slice(-count);
    } finally {
      await handle.close();
    }
  } catch {
    return undefined;
  }
}
