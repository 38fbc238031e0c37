import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { FuncError } from "../common/errors";

/** A file as it was at one moment. */
export interface VersionedFile {
  /** What it looks like from outside, so that an unchanged one need not be read again. */
  version: string;
  /** Point in time of its last change. */
  changedAtMs: number;
  /** Empty where only the version was asked for. */
  content: string;
}

interface ReadOptions {
  whole: boolean;
  maxBytes: number;
  /** What to do about something else in its place. */
  nextStep: string;
}

/**
 * Undefined where there is no such file. Throws FuncError "bad-data" where it is something else, "too-large", and what the
 * file system throws.
 */
export async function readVersioned(
  file: string,
  { whole, maxBytes, nextStep }: ReadOptions,
): Promise<VersionedFile | undefined> {
  try {
    // a pipe without a writer would hold up the opening
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = await handle.stat({ bigint: true });
      if (!stat.isFile()) throw new FuncError("bad-data", `${file} is not a file.`, nextStep);
      const { size, mtimeNs, ctimeNs, ino, mtimeMs } = stat;
      if (size > maxBytes) {
        throw new FuncError("too-large", `${file} is larger than ${maxBytes} bytes.`, nextStep);
      }
      const version = [size, mtimeNs, ctimeNs, ino].join("/");
      const content = whole ? await handle.readFile("utf8") : "";
      return { version, changedAtMs: Number(mtimeMs), content };
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
