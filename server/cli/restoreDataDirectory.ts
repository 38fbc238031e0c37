import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../common/atomicFile";
import { FuncError } from "../common/errors";
import { acquireLock, lockOwner } from "../common/lockFile";
import { makeFolders } from "../common/makeFolders";
import type { BackedUpFile } from "../pki/backupFile";

/** Parts of paths that a backup may have: nothing leads out of the folder, nothing is hidden. */
const PART = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}$/;
/** What shows that an overlord lived there. */
const OURS = [
  "ca",
  "credentials",
  "inventory.json",
  "hosts.json",
  "groups",
  "overlord.yaml",
  "triggers",
];

export interface Restored {
  files: number;
  /** Where what was there before is now. */
  replacedTo?: string;
}

/**
 * Puts the files of a backup into a data directory in which no overlord runs. Throws FuncError "conflict" where one
 * runs, or where there is something already and `replace` is not set (else that is moved aside); "bad-data" where
 * the backup names files that are none of an overlord.
 */
export async function restoreDataDirectory(
  folder: string,
  files: readonly BackedUpFile[],
  replace: boolean,
): Promise<Restored> {
  const wrong = files.find(({ path }) => !path.split("/").every((part) => PART.test(part)));
  if (wrong) {
    throw new FuncError(
      "bad-data",
      `The backup holds ${JSON.stringify(wrong.path)}, which is no file of an overlord.`,
    );
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
  try {
    const names = await readdir(folder);
    const there = names.filter((name) => OURS.includes(name));
    if (there.length > 0 && !replace) {
      throw new FuncError(
        "conflict",
        `${folder} is an overlord's already (${there.join(", ")}).`,
        "Restore into another folder (--home DIR), or say --replace: what is there is then moved aside.",
      );
    }
    const replacedTo = there.length > 0 ? await moveAside(folder, there) : undefined;
    // the CA's certificate says that there is a CA: it goes last
    const ordered = [...files].sort((a, b) => Number(isLast(a)) - Number(isLast(b)));
    for (const { path, content } of ordered) await writeFileAtomic(join(folder, path), content);
    await rm(join(folder, "moved.json"), { force: true });
    return { files: files.length, ...(replacedTo !== undefined && { replacedTo }) };
  } finally {
    await lock.release();
  }
}

async function moveAside(folder: string, names: readonly string[]): Promise<string> {
  const aside = join(folder, `replaced-${new Date().toISOString().replaceAll(/[:.]/g, "-")}`);
  await mkdir(aside, { mode: 0o700 });
  for (const name of names) await rename(join(folder, name), join(aside, name));
  return aside;
}

function isLast({ path }: BackedUpFile): boolean {
  return path === "ca/ca.crt";
}
