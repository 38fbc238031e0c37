import { setTimeout as delay } from "node:timers/promises";
import { FuncError } from "../common/errors";
import { connectOverlord } from "./connection";
import { isUnavailable } from "./responseError";

/** What `connectOverlord` needs to know in any case. */
export type OverlordTarget = Omit<
  Parameters<typeof connectOverlord>[0],
  "start" | "timeoutMs" | "signal"
>;

/** Time for the overlord to close its store and end after it has agreed to stop. */
const END_TIMEOUT_MS = 15_000;
const POLL_MS = 20;

/**
 * Stops the overlord of a data directory and waits until its process is gone. False where none runs.
 * Throws "conflict" while jobs run, unless `force`; "timed-out" where it does not end.
 */
export async function stopOverlord(target: OverlordTarget, force: boolean): Promise<boolean> {
  let connection;
  try {
    connection = await connectOverlord({ ...target, start: false });
  } catch (error) {
    if (error instanceof FuncError && error.reason === "not-found") return false;
    throw error;
  }
  const { pid } = connection.hello;
  try {
    await connection.request("overlord/stop", { force });
  } catch (error) {
    // it may be gone before its answer is
    if (!isUnavailable(error)) throw error;
  } finally {
    connection.dispose();
  }
  const deadline = Date.now() + END_TIMEOUT_MS;
  while (isAlive(pid)) {
    if (Date.now() > deadline) {
      throw new FuncError(
        "timed-out",
        `The overlord of ${target.dataDirectory} (process ${pid}) agreed to stop and still runs.`,
      );
    }
    await delay(POLL_MS);
  }
  return true;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
