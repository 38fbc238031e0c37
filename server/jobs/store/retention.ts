import type { KeptJob } from "./jobIndex";
import type { StoreLimits } from "./workerProtocol";

/** Whatever the limits: a result can be fetched so long after the job's end. Only a full store shortens it. */
export const LEAST_KEEP_MS = 60 * 60_000;

/** What the store has, and what is known about the time. */
export interface RetentionState {
  nowMs: number;
  /** Those that have finished, oldest end first. */
  finished: readonly KeptJob[];
  /** Running ones too. */
  jobs: number;
  bytes: number;
  /** About how many bytes a job takes. */
  bytesOf: (job: KeptJob) => number;
  /** True where this process saw the job end within LEAST_KEEP_MS, whatever the clock says. */
  sawEnd: (jobId: string) => boolean;
  /** How many may go for their age now: a clock that jumped takes no more than these. */
  ageBudget: number;
}

export interface RetentionPlan {
  /** Too old. */
  aged: string[];
  /** Beyond the number of jobs or bytes. */
  beyond: string[];
}

/** Which jobs are to be forgotten. Running ones never are. */
export function planRetention(state: RetentionState, limits: StoreLimits): RetentionPlan {
  const { nowMs, finished, sawEnd } = state;
  const old = finished.filter(({ id, finishedAtMs }) => {
    const ageMs = nowMs - finishedAtMs;
    // an end in the future is one of a clock that was wrong: nobody waits for it
    return !sawEnd(id) && (ageMs < 0 || ageMs >= LEAST_KEEP_MS);
  });
  const keepMs = Math.max(limits.keepMs, LEAST_KEEP_MS);
  const aged = old
    .filter(({ finishedAtMs }) => nowMs - finishedAtMs >= keepMs)
    .slice(0, Math.max(0, state.ageBudget));
  const gone = new Set(aged.map(({ id }) => id));
  let jobs = state.jobs - gone.size;
  let bytes = state.bytes - aged.reduce((sum, job) => sum + state.bytesOf(job), 0);
  const beyond: string[] = [];
  const drop = (job: KeptJob): void => {
    gone.add(job.id);
    beyond.push(job.id);
    jobs--;
    bytes -= state.bytesOf(job);
  };
  for (const job of old) {
    if (jobs <= limits.keepJobs && bytes <= limits.keepBytes) break;
    if (!gone.has(job.id)) drop(job);
  }
  // a disk that fills up takes all results: then the youngest go as well
  for (const job of finished) {
    if (bytes <= limits.keepBytes) break;
    if (!gone.has(job.id)) drop(job);
  }
  return { aged: aged.map(({ id }) => id), beyond };
}
