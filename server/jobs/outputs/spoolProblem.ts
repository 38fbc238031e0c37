import { lstatSync, readlinkSync, statSync, type Stats } from "node:fs";
import { FuncError, messageOf } from "../../common/errors";

/** Causes that go away with room: a full disk, a used up quota. */
const FULL: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT"]);

/**
 * The error for an output that could not be kept in `folder`: "unavailable", naming what is in the way
 * and what to do about it. `error` without a code is a limit of our own.
 */
export function spoolProblem(folder: string, error: unknown): FuncError {
  const has = "The call has run, but its output could not be kept";
  const look = "Look at the host before you call again.";
  const obstacle = obstacleAt(folder);
  if (obstacle !== undefined) {
    return new FuncError(
      "unavailable",
      `${has}: ${folder} should be a folder, and is ${obstacle}.`,
      `Remove ${folder}: the next large output makes it anew. ${look}`,
      { cause: error },
    );
  }
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return new FuncError(
    "unavailable",
    `${has} in ${folder}: ${messageOf(error)}`,
    code === undefined || FULL.has(code)
      ? "Make room on that disk, and look at the host before you call again."
      : `See that ${folder} can be written to. ${look}`,
    { cause: error },
  );
}

/** What stands in the place of a folder, in words; undefined where it is one or nothing is there. */
function obstacleAt(folder: string): string | undefined {
  const there = statsOf(lstatSync, folder);
  if (!there || there.isDirectory()) return undefined;
  if (!there.isSymbolicLink()) return there.isFile() ? "a file" : "no folder";
  const behind = statsOf(statSync, folder);
  if (behind?.isDirectory()) return undefined;
  return `a link to ${targetOf(folder)}, which is ${behind ? "no folder" : "not there"}`;
}

function statsOf(look: (path: string) => Stats, path: string): Stats | undefined {
  try {
    return look(path);
  } catch {
    return undefined; // gone, or not to be seen: the error itself has to say it
  }
}

function targetOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return "somewhere";
  }
}
