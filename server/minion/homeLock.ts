import { join } from "node:path";
import { FuncError } from "../common/errors";
import { acquireLock, lockOwner } from "../common/lockFile";

/**
 * Makes this process the only funcd of a home; the answer gives it back. A lock whose owner is gone
 * is replaced. Throws FuncError "conflict" where another funcd has it.
 */
export async function lockHome(home: string): Promise<() => Promise<void>> {
  const file = join(home, "lock");
  const lock = await acquireLock(file, "the funcd");
  if (lock) return () => lock.release();
  const owner = await lockOwner(file);
  throw new FuncError(
    "conflict",
    `${home} is in use by another funcd${owner ? ` (process ${owner.pid})` : ""}`,
    "Stop that one, or give another folder with --home.",
  );
}
