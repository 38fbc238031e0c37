import { createReadStream } from "node:fs";
import { open, readFile, rename, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { MAX_LINE_BYTES, type ChainEnd } from "./chainLine";

/** Files that are kept beside the one that is written: `audit.log.1` is the youngest. */
export const KEPT_FILES = 4;

/** The files of a log that are there, oldest first. */
export async function auditFiles(file: string): Promise<string[]> {
  const names = [file];
  for (let number = 1; number <= KEPT_FILES; number++) names.unshift(`${file}.${number}`);
  const there = await Promise.all(names.map(isThere));
  return names.filter((_, at) => there[at]);
}

export interface FileLine {
  /** latin1, without its newline. A line that is too long to be one of ours is cut. */
  text: string;
  /** From 1. */
  number: number;
  /** False where the file ends without a newline. */
  ended: boolean;
}

/** The lines of a file. Throws what the file system says. */
export async function* linesOf(file: string): AsyncGenerator<FileLine> {
  let rest = "";
  let number = 0;
  const stream = createReadStream(file, { encoding: "latin1", highWaterMark: 256 * 1024 });
  for await (const piece of stream) {
    const lines = (rest + String(piece)).split("\n");
    rest = (lines.pop() ?? "").slice(0, 2 * MAX_LINE_BYTES);
    for (const text of lines) yield { text, number: ++number, ended: true };
  }
  if (rest !== "") yield { text: rest, number: number + 1, ended: false };
}

/** The end of a file, from a byte on that is at most two long lines before it. */
export interface FileTail {
  size: number;
  /** latin1. */
  text: string;
}

/** An empty one where there is no file. Throws where something else stands in its place. */
export async function tailOf(file: string): Promise<FileTail> {
  let handle;
  try {
    handle = await open(file, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { size: 0, text: "" };
    throw error;
  }
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw new Error(`${file} is no file`);
    const { size } = stats;
    const from = Math.max(0, size - 2 * MAX_LINE_BYTES);
    const { buffer, bytesRead } = await handle.read({
      buffer: Buffer.alloc(size - from),
      position: from,
    });
    return { size, text: buffer.subarray(0, bytesRead).toString("latin1") };
  } finally {
    await handle.close();
  }
}

/**
 * The note of the last line, which stands beside the log: it tells when lines were cut from the end.
 * "missing" and "damaged" are what it can be instead. It may be a second behind.
 */
export async function readHead(file: string): Promise<ChainEnd | "missing" | "damaged"> {
  try {
    const text = await readFile(headOf(file), "latin1");
    const [, seq, hash] = /^(\d{1,15}) ([0-9a-f]{64})\n$/.exec(text) ?? [];
    return seq === undefined || hash === undefined ? "damaged" : { seq: Number(seq), hash };
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? "missing" : "damaged";
  }
}

/** As a whole: an end of the process, or a full disk, in its middle leaves the note before it. */
export async function writeHead(file: string, { seq, hash }: ChainEnd): Promise<void> {
  const temporary = join(dirname(file), `.${basename(file)}.head.tmp`);
  await writeFile(temporary, `${seq} ${hash}\n`, { mode: 0o600 });
  await rename(temporary, headOf(file));
}

export function headOf(file: string): string {
  return `${file}.head`;
}

async function isThere(file: string): Promise<boolean> {
  try {
    await stat(file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}
