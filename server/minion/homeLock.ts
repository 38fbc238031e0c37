import { join } from "node:path";
import { isUnwritable, type Space } from "../common/diskReserve";
import { FuncError, messageOf } from "../common/errors";
import { acquireLock, lockOwner } from "../common/lockFile";

/**
 * Makes this process the only funcd of a home; the answer gives it back. A lock whose owner is gone
 * is replaced. Throws FuncError "conflict" where another funcd has it, "unavailable" where nothing can be written.
 */
export async function lockHome(home: string, space: Space): Promise<() => Promise<void>> {
  const file = join(home, "lock");
  const lock = await space
    .spend(() => acquireLock(file, "the funcd"))
    .catch((error: unknown) => {
      if (!isUnwritable(error)) throw error;
      throw new FuncError(
        "unavailable",
        `${file} cannot be written: ${messageOf(error)}`,
        `Make room on the disk of ${home}, or mount it to be written, and start funcd again.`,
        { cause: error },
      );
    });
  if (lock) return () => lock.release();
  const owner = await lockOwner(file);
  throw new FuncError(
    "conflict",
    `${home} is in use by another funcd${owner ? ` (process ${owner.pid})` : ""}`,
    "Stop that one, or give another folder with --home.",
  );
}
