import type { MinionCallOutcome } from "../../calls/minionCaller";

/** Of a job that was told to stop: it has ended by a signal, or says so. */
export function wasStopped(outcome: MinionCallOutcome, isCommand: boolean): boolean {
  if (outcome.state !== "succeeded") return outcome.error.type.includes("Cancel");
  if (!isCommand || !Array.isArray(outcome.value)) return false;
  const [status] = outcome.value;
  return typeof status === "number" && status < 0;
}
