/** How long a group gets after TERM before KILL. */
export const GRACE_MS = 3_000;

/** Sends TERM to a process group, and KILL after the grace where some of it is still there. */
export function endProcessGroup(group: number, graceMs = GRACE_MS): void {
  if (!signalGroup(group, "SIGTERM")) return;
  // a stopped process takes TERM only once it goes on
  signalGroup(group, "SIGCONT");
  setTimeout(() => signalGroup(group, "SIGKILL"), graceMs).unref();
}

function signalGroup(group: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch {
    return false; // it has ended
  }
}
