import type { Stats } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { FuncError, messageOf } from "../../common/errors";

const MAX_TRIGGERS = 100;
const WRITABLE_BY_OTHERS = 0o022;
const EXECUTABLE = 0o100;

/**
 * The programs in `root`/REQUEST/PHASE, sorted by name; none where one of the folders does not exist. Names with
 * ".rpm" in them are what a package manager left, names that begin with "." are hidden. Throws FuncError
 * "internal" for anything that others could have put there, or that cannot run.
 */
export async function triggerFiles(root: string, kind: string, phase: string): Promise<string[]> {
  const folder = join(root, kind, phase);
  for (const one of [root, join(root, kind), folder]) {
    const found = await look(one);
    if (found === undefined) return [];
    if (!found.isDirectory()) throw wrong(one, "is no folder");
    checkOwner(one, found);
  }
  const names = (await readdir(folder))
    .filter((name) => !name.startsWith(".") && !name.includes(".rpm"))
    .sort();
  if (names.length > MAX_TRIGGERS) throw wrong(folder, `holds more than ${MAX_TRIGGERS} files`);
  const files: string[] = [];
  for (const name of names) {
    const file = join(folder, name);
    const found = await look(file);
    if (found === undefined) continue; // removed just now
    if (!found.isFile()) throw wrong(file, "is no plain file");
    checkOwner(file, found);
    if ((found.mode & EXECUTABLE) === 0) throw wrong(file, "cannot be executed");
    files.push(file);
  }
  return files;
}

async function look(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw wrong(path, `cannot be looked at: ${messageOf(error)}`);
  }
}

function checkOwner(path: string, found: Stats): void {
  const own = process.getuid?.();
  if (own !== undefined && found.uid !== own) throw wrong(path, "belongs to another user");
  if ((found.mode & WRITABLE_BY_OTHERS) !== 0) throw wrong(path, "can be written by others");
}

function wrong(path: string, what: string): FuncError {
  return new FuncError(
    "internal", // a stranger who asks must not learn of it
    `The trigger ${path} ${what}.`,
    "Triggers are executable files of the overlord's user that nobody else can write; correct or remove it.",
  );
}
