import { existsSync, readFileSync, renameSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { messageOf } from "../../common/errors";

/**
 * What stands behind the database: a mark and the CRC-32 of all before it, which notices any flipped bit and takes a
 * fraction of the time that SQLite's own check would.
 */
const MARK = Buffer.from("funcjobs1\n");
const TRAILER_BYTES = MARK.length + 4;

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
  if (crc32(image) !== content.readUInt32LE(end + MARK.length)) {
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
      await handle.writeFile(trailerOf(image));
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

function trailerOf(image: Uint8Array): Buffer {
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32LE(crc32(image));
  return Buffer.concat([MARK, checksum]);
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
