import { copyFile, link, mkdir, open, readdir } from "node:fs/promises";
import { constants } from "node:fs";
import { join } from "node:path";
import { FILE_HEAD_BYTES, readFileHead, type JournalFileHead } from "./journalFrame";

const NAME = /^journal-(\d{1,15})$/;

export interface JournalFileName {
  path: string;
  /** The number of its first record. */
  first: number;
}

export function journalPath(folder: string, first: number): string {
  return join(folder, `journal-${first}`);
}

/** Makes the folder, not its parents: a data directory that was taken away is not to come back. */
export async function makeJournalFolder(folder: string): Promise<void> {
  await mkdir(folder, { mode: 0o700 }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  });
}

/** The files of the journal, oldest first; none where there is no folder. Throws what the file system says. */
export async function journalFiles(folder: string): Promise<JournalFileName[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  });
  const found = names.flatMap((name) => {
    const first = NAME.exec(name)?.[1];
    return first === undefined ? [] : [{ path: join(folder, name), first: Number(first) }];
  });
  return found.sort((a, b) => a.first - b.first);
}

/** Undefined where it is damaged. */
export async function headOfFile(path: string): Promise<JournalFileHead | undefined> {
  const handle = await open(path, "r");
  try {
    const bytes = Buffer.alloc(FILE_HEAD_BYTES);
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
    return readFileHead(bytes.subarray(0, bytesRead));
  } finally {
    await handle.close();
  }
}

/**
 * Keeps a damaged file under another name, `journal-N.damaged-TIME`, where it is not kept yet; it stays in its
 * own place too, until all that can be read of it is in the databases. Answers the path.
 */
export async function keepDamaged(
  folder: string,
  { path, first }: JournalFileName,
): Promise<string> {
  const prefix = `journal-${first}.damaged-`;
  const kept = (await readdir(folder)).find((name) => name.startsWith(prefix));
  if (kept !== undefined) return join(folder, kept);
  const aside = join(folder, `${prefix}${new Date().toISOString().replace(/\.\d+|[-:]/g, "")}`);
  await link(path, aside).catch(() => copyFile(path, aside, constants.COPYFILE_EXCL));
  return aside;
}
