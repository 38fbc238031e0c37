/** Every finished job can be asked for at least this long, whatever else happens. */
export const LEAST_AGE_MS = 60 * 60_000;
export const MOST_AGE_MS = 7 * 24 * 60 * 60_000;
export const MOST_JOBS = 1_000;

/**
 * The ids of finished jobs to drop: those older than seven days, and beyond the newest thousand
 * those older than an hour. Jobs that still run (no `finishedAtMs`) always stay. Age counts from the end.
 */
export function jobsToDrop(
  jobs: Iterable<{ id: string; finishedAtMs?: number }>,
  nowMs: number,
): string[] {
  const finished = [...jobs]
    .flatMap(({ id, finishedAtMs }) => (finishedAtMs === undefined ? [] : [{ id, finishedAtMs }]))
    .sort((a, b) => b.finishedAtMs - a.finishedAtMs);
  return finished
    .filter(({ finishedAtMs }, index) => {
      const age = nowMs - finishedAtMs;
      return age > MOST_AGE_MS || (index >= MOST_JOBS && age > LEAST_AGE_MS);
    })
    .map(({ id }) => id);
}
