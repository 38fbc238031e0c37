import { randomBytes } from "node:crypto";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../common/atomicFile";
import { FuncError, messageOf } from "../common/errors";
import { acquireLock, lockOwner } from "../common/lockFile";
import { makeFolders } from "../common/makeFolders";
import type { BackedUpFile } from "../pki/backup/backupFile";
import { isBackedUp } from "../pki/backup/dataBackup";

/** Parts of paths that a backup may have: nothing leads out of the folder, nothing is hidden. */
const PART = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}$/;

export interface Restored {
  files: number;
  /** Where what was there before is now. */
  replacedTo?: string;
}

/**
 * Puts the files of a backup into a data directory in which no overlord runs, wholly or not at all. Throws FuncError
 * "conflict" where one runs, or where there is something already and `replace` is not set (else that is
 * moved aside); "bad-data" where the backup names files that are none of an overlord; "unavailable" where it
 * cannot be written, and everything is as it was.
 */
export async function restoreDataDirectory(
  folder: string,
  files: readonly BackedUpFile[],
  replace: boolean,
): Promise<Restored> {
  const wrong = files.find(({ path }) => !isOfOverlord(path));
  if (wrong) {
    const shown = JSON.stringify(wrong.path.slice(0, 200));
    throw new FuncError("bad-data", `The backup holds ${shown}, which is no file of an overlord.`);
  }
  await makeFolders(folder);
  const lock = await acquireLock(join(folder, "lock"), "the overlord");
  if (!lock) {
    const owner = await lockOwner(join(folder, "lock"));
    throw new FuncError(
      "conflict",
      `An overlord runs in ${folder} (process ${owner?.pid ?? "unknown"}).`,
      "Stop it first: func overlord stop.",
    );
  }
  const staging = join(folder, `.restoring-${randomBytes(6).toString("hex")}`);
  try {
    const there = (await readdir(folder)).filter(isBackedUp);
    if (there.length > 0 && !replace) {
      throw new FuncError(
        "conflict",
        `${folder} is an overlord's already (${there.join(", ").slice(0, 300)}).`,
        "Restore into another folder (--home DIR), or say --replace: what is there is then moved aside.",
      );
    }
    for (const { path, content, executable } of files) {
      await writeFileAtomic(join(staging, path), content, executable ? 0o700 : 0o600);
    }
    const replacedTo = await swap(folder, staging, there);
    await rm(join(folder, "moved.json"), { force: true });
    return { files: files.length, ...(replacedTo !== undefined && { replacedTo }) };
  } catch (error) {
    if (error instanceof FuncError) throw error;
    throw new FuncError(
      "unavailable",
      `The backup could not be restored into ${folder}: ${messageOf(error)}. What was there is as it was.`,
      "Look at that folder and its disk, then try again.",
      { cause: error },
    );
  } finally {
    await rm(staging, { recursive: true, force: true });
    await lock.release();
  }
}

function isOfOverlord(path: string): boolean {
  const parts = path.split("/");
  return parts.every((part) => PART.test(part)) && isBackedUp(parts[0] ?? "");
}

/** Only renames: what takes room is done. Where one fails, all are taken back. */
async function swap(
  folder: string,
  staging: string,
  there: readonly string[],
): Promise<string | undefined> {
  const done: [from: string, to: string][] = [];
  const move = async (from: string, to: string): Promise<void> => {
    await rename(from, to);
    done.push([from, to]);
  };
  const aside = join(folder, `replaced-${new Date().toISOString().replaceAll(/[:.]/g, "-")}`);
  try {
    if (there.length > 0) await mkdir(aside, { mode: 0o700 });
    for (const name of there) await move(join(folder, name), join(aside, name));
    // the CA says that there is an overlord: it comes last
    const staged = await readdir(staging);
    staged.sort((a, b) => Number(a === "ca") - Number(b === "ca"));
    for (const name of staged) await move(join(staging, name), join(folder, name));
  } catch (error) {
    for (const [from, to] of done.reverse()) await rename(to, from);
    if (there.length > 0) await rm(aside, { recursive: true, force: true });
    throw error;
  }
  return there.length > 0 ? aside : undefined;
}
