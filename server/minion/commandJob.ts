import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { commandEnvironment } from "./commandEnvironment";
import type { JobFolder, JobRecord } from "./jobFolder";
import { JOB_RUNNER_SCRIPT } from "./jobRunnerScript";
import { FUNC_EXCEPTION, LOST, MethodError } from "./methodError";
import type { CommandSpec } from "./minionModule";
import { currentBootId, isAlive } from "../common/processIdentity";
import { endProcessGroup } from "./processGroup";

/** How often a runner that another funcd started is looked at. */
const LOOK_MS = 250;
/** An output beyond this ends its command: the disk belongs to the host's own work. */
const MAX_OUTPUT_FILE_BYTES = 4 * 1024 * 1024 * 1024;
const LOOK_AT_SIZE_MS = 5_000;
/** A cancelled runner that was killed leaves no status. */
const KILLED = -9;

/**
 * Starts a command under the job runner and settles with its return code (negative for signals) once
 * it has ended. `signal` ends its process group. Throws MethodError of type LOST where no status is
 * left, and what `spawn` throws where it cannot be started.
 */
export async function runCommandJob(
  folder: JobFolder,
  { command, env }: CommandSpec,
  signal: AbortSignal,
): Promise<number> {
  const child = spawn("/bin/sh", ["-c", JOB_RUNNER_SCRIPT, "funcd-job", folder.path, command], {
    cwd: "/",
    detached: true,
    env: commandEnvironment(env),
    stdio: "ignore",
  });
  child.unref();
  const ended = once(child, "exit");
  const watching = new AbortController();
  const cancel = (): void => {
    if (child.pid !== undefined) endProcessGroup(child.pid);
  };
  signal.addEventListener("abort", cancel, { once: true });
  if (signal.aborted) void once(child, "spawn").then(cancel, () => undefined);
  const watch = watchSize(folder, cancel, watching.signal);
  try {
    await ended;
    if (!signal.aborted && (await folder.readRunner()) === undefined) {
      throw new MethodError(
        FUNC_EXCEPTION,
        `the command was not started: nothing can be written to ${folder.path}; is the disk full?`,
      );
    }
    return await statusOf(folder, signal);
  } finally {
    watching.abort();
    signal.removeEventListener("abort", cancel);
    await watch;
  }
}

/**
 * Settles like `runCommandJob` for a job that an earlier funcd started: waits for its runner where it
 * still runs, else says how it ended.
 */
export async function adoptCommandJob(
  folder: JobFolder,
  { method, bootId }: JobRecord,
  signal: AbortSignal,
  stopWaiting: AbortSignal,
): Promise<number> {
  if ((await folder.readRunner()) === undefined) await folder.giveUp();
  const runner = await folder.readRunner();
  if (runner === undefined || runner === "given up") {
    // a host that loses its power can lose what was written last
    throw bootId === currentBootId()
      ? new MethodError(FUNC_EXCEPTION, `lost: funcd ended before ${method} began; it did not run`)
      : new MethodError(
          LOST,
          `lost: the host was restarted about when ${method} was to begin; it may have run`,
        );
  }
  const cancel = (): void => {
    if (isAlive(runner)) endProcessGroup(runner.pid);
  };
  signal.addEventListener("abort", cancel, { once: true });
  try {
    while ((await folder.readExit()) === undefined && isAlive(runner)) {
      await sleep(LOOK_MS, undefined, { ref: false, signal: stopWaiting });
    }
    const sameBoot = runner.bootId === currentBootId();
    return await statusOf(folder, signal, sameBoot ? undefined : "the host was restarted");
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

async function statusOf(
  folder: JobFolder,
  signal: AbortSignal,
  why = "something killed its runner",
): Promise<number> {
  const status = await folder.readExit();
  if (status !== undefined) {
    // not every shell notes a TERM, but this one is known
    return signal.aborted && status > 128 ? 128 - status : status;
  }
  if (signal.aborted) return KILLED;
  const cause = (await folder.lacksExit()) ? "its exit status could not be written" : why;
  throw new MethodError(LOST, `lost: ${cause}, so its end is not known`);
}

async function watchSize(
  folder: JobFolder,
  tooMuch: () => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await sleep(LOOK_AT_SIZE_MS, undefined, { ref: false, signal }).catch(() => undefined);
    for (const name of ["stdout", "stderr"] as const) {
      if ((await folder.outputSize(name).catch(() => 0)) > MAX_OUTPUT_FILE_BYTES) tooMuch();
    }
  }
}
