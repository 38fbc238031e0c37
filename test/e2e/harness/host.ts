import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "./paths";
import { killQuietly } from "./processes";

/** A run of funcd as on a host of its own. */
export interface HostRun {
  /** What it has written so far. */
  output(): string;
  /** Its exit status, once it has ended. */
  ended: Promise<number | null>;
  stop(): Promise<void>;
}

/** Runs `funcd ARGS` with its files in `home`. */
export function runFuncd(home: string, args: readonly string[]): HostRun {
  const program: ChildProcess = spawn(
    process.execPath,
    [join(ROOT, "dist", "funcd.js"), ...args, "--home", home],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let output = "";
  const read = (chunk: Buffer): void => void (output += chunk.toString());
  program.stdout?.on("data", read);
  program.stderr?.on("data", read);
  const ended = new Promise<number | null>((resolve) => program.once("exit", resolve));
  return {
    output: () => output,
    ended,
    async stop() {
      if (program.exitCode !== null || program.signalCode !== null) return;
      program.kill("SIGTERM");
      const late = setTimeout(() => program.pid && killQuietly(program.pid, "SIGKILL"), 5_000);
      await ended;
      clearTimeout(late);
    },
  };
}
