import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { syncFolder, writeFileAtomic } from "../../common/atomicFile";
import { checksumOf } from "../../common/checksum";

const NAME = "clean.json";

/**
 * What a store leaves that was closed in order, with all of the journal in its databases and no job unfinished: the
 * next start then needs neither of them.
 */
export interface StoreMark {
  nextSeq: number;
  jobs: number;
  bytes: number;
}

/** Undefined where there is none, or a damaged one. */
export async function readMark(folder: string): Promise<StoreMark | undefined> {
  try {
    const read: unknown = JSON.parse(await readFile(join(folder, NAME), "utf8"));
    if (typeof read !== "object" || read === null) return undefined;
    const { nextSeq, jobs, bytes, checksum } = read as Partial<StoreMark> & { checksum?: unknown };
    if (typeof nextSeq !== "number" || typeof jobs !== "number" || typeof bytes !== "number") {
      return undefined;
    }
    return checksum === checksumOf([nextSeq, jobs, bytes]) ? { nextSeq, jobs, bytes } : undefined;
  } catch {
    return undefined;
  }
}

/** Rejects with what the file system says. */
export async function writeMark(folder: string, mark: StoreMark): Promise<void> {
  const { nextSeq, jobs, bytes } = mark;
  const checksum = checksumOf([nextSeq, jobs, bytes]);
  await writeFileAtomic(join(folder, NAME), JSON.stringify({ ...mark, checksum }));
}

/** Durably. Rejects with what the file system says. */
export async function removeMark(folder: string): Promise<void> {
  await rm(join(folder, NAME), { force: true });
  await syncFolder(folder);
}
