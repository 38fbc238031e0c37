import { FuncError, messageOf } from "../server/common/errors";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** However slow the end is, it comes. */
const END_TIMEOUT_MS = 30_000;

/**
 * Runs a developer script. The first SIGINT, SIGTERM or SIGHUP aborts `signal`; more of them change
 * nothing, since npm passes on what the terminal has already sent to everyone. Ends the process with
 * status 0, also when interrupted, or 1 with one sentence on stderr.
 */
export async function runScript(main: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const interrupted = new AbortController();
  // who has read the output may be gone, as with `| head`: no reason to end without cleaning up
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  for (const name of SIGNALS) {
    process.on(name, () => {
      if (interrupted.signal.aborted) return;
      interrupted.abort();
      setTimeout(() => process.exit(1), END_TIMEOUT_MS).unref();
    });
  }
  let status = 0;
  try {
    await main(interrupted.signal);
  } catch (error) {
    const stopped = interrupted.signal.aborted && isCancelled(error);
    if (!stopped) {
      status = 1;
      process.stderr.write(`${messageOf(error)}\n`);
      if (error instanceof FuncError && error.nextStep) process.stderr.write(`${error.nextStep}\n`);
    }
  }
  process.exit(status);
}

function isCancelled(error: unknown): boolean {
  return error instanceof FuncError && error.reason === "cancelled";
}

/** Resolves when the script is interrupted. */
export function untilInterrupted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    // a pending promise alone does not keep Node running
    const alive = setInterval(() => undefined, 60_000);
    const stop = (): void => {
      clearInterval(alive);
      resolve();
    };
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}
