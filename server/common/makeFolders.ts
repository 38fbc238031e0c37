import { mkdirSync, statSync } from "node:fs";
import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

const MODE = 0o700;

/**
 * Makes a folder and those above it that are missing, each with mode 0700. Not with mkdir's `recursive`, which
 * tries for ever below /proc. Throws Error naming the folder.
 */
export async function makeFolders(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: MODE });
  } catch (error) {
    if (isMissingAbove(error, folder)) {
      await makeFolders(dirname(folder));
      // another process may have made it meanwhile
      await mkdir(folder, { mode: MODE }).catch((second: unknown) => asItIs(folder, second));
    } else await asItIs(folder, error);
  }
}

/** See makeFolders. */
export function makeFoldersSync(folder: string): void {
  try {
    mkdirSync(folder, { mode: MODE });
  } catch (error) {
    if (isMissingAbove(error, folder)) {
      makeFoldersSync(dirname(folder));
      try {
        mkdirSync(folder, { mode: MODE });
      } catch (second) {
        asItIsSync(folder, second);
      }
    } else asItIsSync(folder, error);
  }
}

function isMissingAbove(error: unknown, folder: string): boolean {
  return codeOf(error) === "ENOENT" && dirname(folder) !== folder;
}

/** The folder was there before, or `error` says why it cannot be: systems differ in how they say the former. */
async function asItIs(folder: string, error: unknown): Promise<void> {
  judge(folder, error, await stat(folder).catch(() => undefined));
}

function asItIsSync(folder: string, error: unknown): void {
  judge(folder, error, statSync(folder, { throwIfNoEntry: false }));
}

function judge(
  folder: string,
  error: unknown,
  found: { isDirectory(): boolean } | undefined,
): void {
  if (found?.isDirectory()) return;
  throw codeOf(error) === "EEXIST" ? new Error(`${folder} is no folder.`) : error;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
