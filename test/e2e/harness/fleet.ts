import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./paths";
import { killQuietly, waitUntil } from "./processes";

/** Real funcd processes on this machine, enrolled with the overlord of `home`. */
export interface Fleet {
  stop(): Promise<void>;
}

const START_MS = 120_000;

/** Starts `size` minions, or a tree such as "2x3"; returns when they all are ready. Throws with the program's last words. */
export async function startFleet(home: string, size: number | string): Promise<Fleet> {
  const script = join(ROOT, "dist", "dev", "fleet.js");
  const form = typeof size === "number" ? ["--size", String(size)] : ["--tree", size];
  const program = spawn(process.execPath, [script, ...form, "--home", home], {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let output = "";
  const exit = new Promise<void>((resolve) => program.once("exit", () => resolve()));
  const hasEnded = (): boolean => program.exitCode !== null || program.signalCode !== null;
  const read = (chunk: Buffer): void => void (output += chunk.toString());
  program.stdout.on("data", read);
  program.stderr.on("data", read);
  const stop = async (): Promise<void> => {
    program.kill("SIGTERM");
    await Promise.race([exit, new Promise((resolve) => setTimeout(resolve, 10_000))]);
    if (program.pid !== undefined) killQuietly(-program.pid, "SIGKILL");
  };
  try {
    await waitUntil("the fleet", () => hasEnded() || output.includes("fleet ready:"), START_MS);
    if (hasEnded()) throw new Error("The fleet ended by itself");
  } catch (error) {
    await stop();
    throw new Error(`The fleet did not start:\n${output}`, { cause: error });
  }
  return { stop };
}

/** The process id of the overlord that serves `home`, where one does. */
export function overlordPid(home: string): number | undefined {
  try {
    const { pid } = JSON.parse(readFileSync(join(home, "endpoint"), "utf8")) as { pid: number };
    return pid;
  } catch {
    return undefined;
  }
}
