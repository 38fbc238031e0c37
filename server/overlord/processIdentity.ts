import { readFileSync } from "node:fs";
import { hostname } from "node:os";

/** Names one run of one process: a pid alone is given out again. */
export interface ProcessIdentity {
  host: string;
  /** Changes with each boot; "" where the platform does not tell. */
  bootId: string;
  pid: number;
  /** In clock ticks since boot, as /proc tells it; "" where the platform does not. */
  startTime: string;
}

export function thisProcess(): ProcessIdentity {
  return {
    host: hostname(),
    bootId: bootId(),
    pid: process.pid,
    startTime: startTimeOf(process.pid) ?? "",
  };
}

/** True where that very process still runs. Only for processes of this host. */
export function isAlive(identity: ProcessIdentity): boolean {
  if (identity.bootId !== bootId()) return false;
  if (identity.startTime !== "") return startTimeOf(identity.pid) === identity.startTime;
  try {
    process.kill(identity.pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, under another user
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "";
  }
}

/** Field 22 of /proc/PID/stat; the command name before it may hold spaces and parentheses. */
function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // a zombie holds nothing any more, though its pid is still taken
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
