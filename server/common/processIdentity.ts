import { readFileSync } from "node:fs";

/** A process for good: a pid alone may mean another process later. */
export interface ProcessIdentity {
  bootId: string;
  pid: number;
  /** Clock ticks from the boot to the start of the process; "" where the system does not tell. */
  startTime: string;
}

/** Of the process that asks. */
export function thisProcess(): ProcessIdentity {
  const { pid } = process;
  return identifyProcess(pid) ?? { bootId: currentBootId(), pid, startTime: "" };
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

/** True where that very process still runs. Only for processes of this host. */
export function isAlive(identity: ProcessIdentity): boolean {
  if (identity.bootId !== currentBootId()) return false;
  if (identity.startTime !== "") {
    return identifyProcess(identity.pid)?.startTime === identity.startTime;
  }
  try {
    process.kill(identity.pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, under another user
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
