import { readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

const MAX_SHOWN = 500;

/** Lines of an overlord's log that tell an error of its own, and what Node itself said. */
export async function logTroubles(dataDirectory: string): Promise<string[]> {
  const file = join(dataDirectory, "overlord.log");
  const texts = await Promise.all(
    [`${file}.1`, file].map((one) => readFile(one, "utf8").catch(() => "")),
  );
  return texts
    .flatMap((text) => text.split("\n"))
    .filter((line) => line !== "" && isTrouble(line))
    .map((line) => `${file}: ${line.slice(0, MAX_SHOWN)}`);
}

function isTrouble(line: string): boolean {
  try {
    return (JSON.parse(line) as { level?: unknown }).level === "error";
  } catch {
    return true;
  }
}

/** The processes on whose command line the token of a job is. */
export function processesOf(token: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => readCommandLine(pid).includes(`: ${token}; `));
}

function readCommandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return ""; // it has ended
  }
}
