import { hash } from "node:crypto";
import { readFileSync, renameSync, existsSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { messageOf } from "../../common/errors";

/** What stands behind the database: a mark and the SHA-256 of all before it. */
const MARK = Buffer.from("funcjobs1\n");
const TRAILER_BYTES = MARK.length + 32;

/** The file is there, and is not what was written. */
export class DamagedFile extends Error {}

/** The database as it was written; undefined where there is no file. Throws DamagedFile, or what the disk says. */
export function readDatabaseFile(file: string): Uint8Array | undefined {
  let content: Buffer;
  try {
    content = readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const end = content.length - TRAILER_BYTES;
  if (end < 0) throw new DamagedFile(`it has ${content.length} bytes`);
  const mark = content.subarray(end, end + MARK.length);
  if (!mark.equals(MARK)) throw new DamagedFile("its end is missing");
  const image = content.subarray(0, end);
  const found = content.subarray(end + MARK.length);
  if (!hash("sha256", image, "buffer").equals(found)) {
    throw new DamagedFile("its checksum is wrong");
  }
  return image;
}

/**
 * Replaces the file as a whole. Durable but for its name: the folder is to be synced. Throws what the disk
 * says; then the file is as it was.
 */
export async function writeDatabaseFile(file: string, image: Uint8Array): Promise<void> {
  const temporary = `${file}.tmp`;
  try {
    const handle = await open(temporary, "w", 0o600);
    try {
      await handle.writeFile(image);
      await handle.writeFile(Buffer.concat([MARK, hash("sha256", image, "buffer")]));
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** Renames a damaged file, so that nothing is lost that somebody could still make use of; gives its new name. */
export function setAside(file: string, nowMs = Date.now()): string {
  const time = new Date(nowMs).toISOString().replace(/\.\d+|[-:]/g, "");
  let aside = `${file}.damaged-${time}`;
  for (let number = 2; existsSync(aside); number++) aside = `${file}.damaged-${time}-${number}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    throw new Error(`${file} is damaged and cannot be set aside: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return aside;
}
