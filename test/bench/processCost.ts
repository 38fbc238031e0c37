import { spawn, spawnSync } from "node:child_process";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";

/** What one run of a program took, with everything that it started and waited for. */
export interface Cost {
  wallMs: number;
  /** User and system time. */
  cpuMs: number;
  /** In user mode, where `perf` can count them on this machine. */
  instructions?: number;
  stdout: string;
}

export interface CostOptions {
  env?: NodeJS.ProcessEnv;
  signal: AbortSignal;
}

/** bash knows the CPU time of its children to the millisecond; Node does not know it at all. */
const MEASURE = `
start=$EPOCHREALTIME
"$@" 3>&-
status=$?
end=$EPOCHREALTIME
{ echo "$start $end"; times; } >&3
exit $status`;

/** Runs a program to its end. Throws an Error with its last words where it fails. */
export async function costOf(command: readonly string[], options: CostOptions): Promise<Cost> {
  const { signal, env = process.env } = options;
  signal.throwIfAborted();
  const counting = canCountInstructions() ? ["perf", "stat", "-x,", "-e", "instructions:u"] : [];
  const child = spawn("bash", ["-c", MEASURE, "measure", ...counting, ...command], {
    // in a group of its own, to be ended as a whole
    detached: true,
    env: { ...env, LC_ALL: "C" },
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  const kill = (): void => {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  };
  signal.addEventListener("abort", kill);
  try {
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once("error", reject).once("close", resolve);
    });
    const [out, err, measured] = child.stdio.slice(1) as Readable[] as [
      Readable,
      Readable,
      Readable,
    ];
    const [stdout, stderr, report, status] = await Promise.all([
      text(out),
      text(err),
      text(measured),
      ended,
    ]);
    signal.throwIfAborted();
    if (status !== 0) {
      const words = stderr.trim().split("\n").slice(-3).join(" ");
      throw new Error(`${command.slice(0, 3).join(" ")} ended with ${String(status)}: ${words}`);
    }
    return { ...parseReport(report), instructions: parseInstructions(stderr), stdout };
  } finally {
    signal.removeEventListener("abort", kill);
  }
}

/** What `long` took more than `short`, for each of `more` calls: the start of the program cancels out. */
export function perCall(long: Cost, short: Cost, more: number): { cpuMs: number; work: number } {
  const cpuMs = (long.cpuMs - short.cpuMs) / more;
  const both = long.instructions !== undefined && short.instructions !== undefined;
  const instructions = both ? (long.instructions ?? 0) - (short.instructions ?? 0) : undefined;
  return { cpuMs, work: instructions === undefined ? cpuMs : instructions / more };
}

/** What `perCall` calls work. */
export function workUnit(): string {
  return canCountInstructions() ? "user instructions" : "CPU time";
}

function parseReport(report: string): Pick<Cost, "wallMs" | "cpuMs"> {
  const [clock = "", , children = ""] = report.trim().split("\n");
  const [start = NaN, end = NaN] = clock.split(" ").map(Number);
  const cpuMs = children
    .split(" ")
    .map((time) => /^(\d+)m([\d.]+)s$/.exec(time))
    .reduce((sum, match) => sum + Number(match?.[1]) * 60_000 + Number(match?.[2]) * 1_000, 0);
  if (Number.isNaN(cpuMs + end - start)) throw new Error(`bash said no times: ${report}`);
  return { wallMs: (end - start) * 1_000, cpuMs };
}

function parseInstructions(stderr: string): number | undefined {
  const count = /^(\d+),[^,]*,instructions:u/m.exec(stderr)?.[1];
  return count === undefined ? undefined : Number(count);
}

let countable: boolean | undefined;

/** Virtual machines often hide the counters, and a container may not be allowed to read them. */
function canCountInstructions(): boolean {
  countable ??=
    parseInstructions(
      String(spawnSync("perf", ["stat", "-x,", "-e", "instructions:u", "true"]).stderr),
    ) !== undefined;
  return countable;
}
