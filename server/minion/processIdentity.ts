import { readFileSync } from "node:fs";

/** A process for good: a pid alone may mean another process later. */
export interface ProcessIdentity {
  bootId: string;
  pid: number;
  /** Clock ticks from the boot to the start of the process. */
  startTime: string;
}

/** This boot of the host; "" where the system does not tell. */
export function currentBootId(): string {
  return readText("/proc/sys/kernel/random/boot_id").trim();
}

/** The identity of a live process; undefined where there is none (a zombie is none either). */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  return parseStat(currentBootId(), readText(`/proc/${pid}/stat`));
}

/** Reads a line of /proc/PID/stat. Undefined for anything else, and for a process that has ended. */
export function parseStat(bootId: string, stat: string): ProcessIdentity | undefined {
  // the name in parentheses may itself contain spaces and parentheses
  const end = stat.lastIndexOf(")");
  const pid = Number.parseInt(stat, 10);
  const fields = stat.slice(end + 2).split(" ");
  const startTime = fields[19];
  if (end < 0 || !(pid > 0) || startTime === undefined) return undefined;
  if (fields[0] === "Z" || fields[0] === "X") return undefined;
  return { bootId, pid, startTime };
}

export function isAlive(identity: ProcessIdentity): boolean {
  const now = identifyProcess(identity.pid);
  return now?.bootId === identity.bootId && now.startTime === identity.startTime;
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
