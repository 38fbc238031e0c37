import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { BenchContext } from "./benchmark";

/** A part of this program that runs as a process of its own. */
export interface Worker<Ready> {
  pid: number;
  ready: Ready;
  /** Sends it a line of JSON and returns the line that it answers. One at a time. */
  ask(order: object): Promise<string>;
  close(): Promise<void>;
}

let sequence = 0;

/** The command of a worker that runs to its end and prints one JSON value, for costOf. */
export function workerCommand({ folder }: BenchContext, name: string, options: object): string[] {
  // certificates are too long for a command line
  const file = join(folder, `worker-${++sequence}.json`);
  writeFileSync(file, JSON.stringify(options), { mode: 0o600 });
  return [process.execPath, __filename, "worker", name, file];
}

/** Starts a worker that serves until this process or the benchmark ends. */
export async function startWorker<Ready>(
  context: BenchContext,
  name: string,
  options: object,
): Promise<Worker<Ready>> {
  return startServing(context, workerCommand(context, name, options));
}

/** Starts any program that prints a line of JSON when it is ready, and ends with its standard input. */
export async function startServing<Ready>(
  context: BenchContext,
  [program = "", ...args]: readonly string[],
): Promise<Worker<Ready>> {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.on("error", () => undefined);
  const gone = once(child, "exit");
  const close = async (): Promise<void> => {
    child.stdin.end();
    child.kill("SIGKILL");
    await gone;
  };
  context.onEnd(close);
  const lines = createInterface({ input: child.stdout });
  const nextLine = async (): Promise<string> => {
    const line = once(lines, "line", { signal: context.signal });
    const end = gone.then(() => {
      throw new Error(`${program} ${args.join(" ")} ended early`);
    });
    return String((await Promise.race([line, end]))[0]);
  };
  return {
    pid: child.pid ?? 0,
    ready: JSON.parse(await nextLine()) as Ready,
    ask: (order) => {
      child.stdin.write(`${JSON.stringify(order)}\n`);
      return nextLine();
    },
    close,
  };
}

/** In the worker: what `startWorker` waits for; ends the worker when its starter is gone. */
export function workerReady(ready: object): void {
  process.stdin.on("end", () => process.exit(0)).resume();
  process.stdout.write(`${JSON.stringify(ready)}\n`);
}
