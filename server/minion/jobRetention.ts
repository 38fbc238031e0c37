/** Every finished job can be asked for at least this long, whatever else happens. */
export const LEAST_AGE_MS = 60 * 60_000;
export const MOST_AGE_MS = 7 * 24 * 60 * 60_000;
/** With more finished jobs, or more bytes of output, those go whose results somebody else keeps. */
export const EASY_JOBS = 1_000;
export const EASY_BYTES = 1024 * 1024 * 1024;
/** With more than this the others go as well. */
export const MOST_JOBS = 10_000;
export const MOST_BYTES = 16 * 1024 * 1024 * 1024;

export interface KeptJob {
  id: string;
  /** Undefined while it runs. */
  finishedAtMs?: number;
  /** Whoever started it has said that it keeps the result. */
  acknowledged?: boolean;
  /** Of its outputs. */
  bytes?: number;
}

/**
 * The ids of finished jobs to drop: those older than seven days; beyond the easy bounds the oldest of those
 * that are acknowledged, beyond the hard ones the oldest of all, but none before it is an hour old. Jobs
 * that still run always stay. Age counts from the end.
 */
export function jobsToDrop(jobs: Iterable<KeptJob>, nowMs: number): string[] {
  const finished = [...jobs]
    .flatMap((job) => (job.finishedAtMs === undefined ? [] : [{ ...job, at: job.finishedAtMs }]))
    .sort((a, b) => a.at - b.at);
  let count = finished.length;
  let bytes = finished.reduce((sum, job) => sum + (job.bytes ?? 0), 0);
  const dropped = new Set<string>();
  const drop = (isMeant: (job: (typeof finished)[number]) => boolean): void => {
    for (const job of finished) {
      if (dropped.has(job.id) || !isMeant(job)) continue;
      dropped.add(job.id);
      count--;
      bytes -= job.bytes ?? 0;
    }
  };
  const isRipe = ({ at }: { at: number }): boolean => nowMs - at > LEAST_AGE_MS;
  drop(({ at }) => nowMs - at > MOST_AGE_MS);
  drop(
    (job) => (count > EASY_JOBS || bytes > EASY_BYTES) && job.acknowledged === true && isRipe(job),
  );
  drop((job) => (count > MOST_JOBS || bytes > MOST_BYTES) && isRipe(job));
  return [...dropped];
}
