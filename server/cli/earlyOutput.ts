import { isCommandRun, type JobSummary, type MinionResult } from "../protocol/jobs";
import { shellWord } from "./shellWord";

/** True where the minion keeps what the command had written, though it gave no result. */
export function hasEarlyOutput({ state, minionJobId }: MinionResult): boolean {
  return minionJobId !== undefined && (state === "cancelled" || state === "timed-out");
}

/** Where to see what commands had written that were ended; empty where there are none. Ends with a newline. */
export function earlyOutputText(job: JobSummary, results: readonly MinionResult[]): string {
  if (!job.async || !isCommandRun(job) || !results.some(hasEarlyOutput)) return "";
  return `What those had written that were stopped: func jobs follow ${shellWord(job.id)}\n`;
}
