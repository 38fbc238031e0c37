import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { dataDirectory } from "../client/dataDirectory";
import { EXIT_ALREADY_RUNNING } from "../client/overlordProcess";
import { FuncError, messageOf } from "../common/errors";
import type { Log } from "../common/log";
import { makeFoldersSync } from "../common/makeFolders";
import { Overlord } from "./overlord";
import { openOverlordLog } from "./overlordLog";

declare const __VERSION__: string;

/** Ending takes no longer, whatever hangs. */
const END_TIMEOUT_MS = 5_000;

/** Half of them may wait for name servers; of the usual four, two names that hang would delay all others. */
const WORKER_THREADS = "32";

async function main(): Promise<void> {
  process.umask(0o077);
  process.env["UV_THREADPOOL_SIZE"] ??= WORKER_THREADS;
  // started for a data directory that was taken away meanwhile: it is not to come back
  if (!hasWorkingFolder()) process.exit(EXIT_ALREADY_RUNNING);
  const { home, stay } = readArguments();
  makeFoldersSync(home);
  const log = openOverlordLog(join(home, "overlord.log"));
  process.on("uncaughtException", (error) => {
    // the next start finds a dead owner and cleans up
    log.error(messageOf(error), { stack: error.stack });
    process.exit(1);
  });
  try {
    const overlord = await Overlord.start({ dataDirectory: home, version: __VERSION__, log, stay });
    if (!overlord) process.exit(EXIT_ALREADY_RUNNING);
    await endInOrder(overlord, log);
  } catch (error) {
    const nextStep = error instanceof FuncError ? error.nextStep : undefined;
    log.error(messageOf(error), { nextStep });
    fail(error);
  }
}

async function endInOrder(overlord: Overlord, log: Log): Promise<void> {
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    process.on(signal, () => void overlord.close(signal));
  }
  void overlord.ended.then(() => process.exit(0));
  await overlord.closingBegan;
  setTimeout(() => {
    log.warn("the overlord did not end in time");
    process.exit(0);
  }, END_TIMEOUT_MS).unref();
}

function hasWorkingFolder(): boolean {
  try {
    process.cwd();
    return true;
  } catch {
    return false;
  }
}

function readArguments(): { home: string; stay: boolean } {
  const { values } = parseArgs({
    options: { home: { type: "string" }, stay: { type: "boolean", default: false } },
  });
  const home = values.home === undefined ? dataDirectory() : resolve(values.home);
  return { home, stay: values.stay };
}

/** Started by hand, the terminal should tell too; started by a client, the log has it already. */
function fail(error: unknown): never {
  if (process.stderr.isTTY) process.stderr.write(`overlord: ${messageOf(error)}\n`);
  process.exit(1);
}

main().catch((error: unknown) => {
  // before there is a log
  process.stderr.write(`Error: ${messageOf(error)}\n`);
  process.exit(1);
});
