import type { JobRun } from "../jobs/engine/jobRun";
import type { MinionBehind } from "../jobs/engine/minionsBehind";

/** What each tier may need besides, to connect and to start its overlord: nobody gives up before those behind. */
const TIER_MS = 30_000;
/** What a hop may answer to `delegation.collect`. */
export const MAX_PROGRESS_BYTES = 16 * 1024 * 1024;
/** Of sync calls: how long a hop may be away with its results. */
const LEAST_AWAY_MS = 10_000;
const MOST_AWAY_MS = 60_000;
/** Of async ones (a reboot, a cut line). */
const ASYNC_AWAY_MS = 60 * 60_000;

/** The overlord there may have to be started first, and writes the call to its disk. */
const START_MS = 30_000;
const LEAST_START_MS = 10_000;
/** How long a question is held where there is no news. */
const WAIT_SECONDS = 25;
/** How much later than promised an answer may come: each overlord on the way may have to be started. */
const GRACE_MS = 20_000;
const LEAST_GRACE_MS = 5_000;

/** For the answer to a start, which waits for nobody behind the hop: soon after the limit that the caller chose. */
export function startLimitMs({ record, timeoutMs }: JobRun): number {
  if (record.async) return START_MS;
  return Math.min(START_MS, Math.max(LEAST_START_MS, timeoutMs + LEAST_GRACE_MS));
}

/**
 * How long a hop that has the job holds a question, and how much later its answer may come. A hop that hangs is to be
 * noticed soon after the limit that the caller chose; one that lives has answered by then, whatever those behind it do.
 */
export function questionLimits({ record, timeoutMs }: JobRun): {
  waitSeconds: number;
  graceMs: number;
} {
  if (record.async) return { waitSeconds: WAIT_SECONDS, graceMs: GRACE_MS };
  return {
    waitSeconds: Math.min(WAIT_SECONDS, Math.max(1, Math.ceil(timeoutMs / 1_000))),
    graceMs: Math.min(GRACE_MS, Math.max(LEAST_GRACE_MS, timeoutMs)),
  };
}

/** For all of a hop's minions to have ended; undefined where the work has no limit. */
export function workLimitMs(
  { record, timeoutMs, runLimitMs, nforks, deliverUntilMs }: JobRun,
  minions: readonly MinionBehind[],
): number | undefined {
  if (record.async && runLimitMs === undefined) return undefined;
  const tiers = Math.max(...minions.map(({ path }) => path.length - 1), 1);
  const rounds = Math.ceil(minions.length / Math.max(1, nforks));
  const starting = rounds * (timeoutMs + TIER_MS) + tiers * TIER_MS;
  const delivering = deliverUntilMs === undefined ? 0 : deliverUntilMs - performance.now();
  return starting + Math.max(0, delivering) + (runLimitMs ?? 0) * (record.async ? rounds : 0);
}

/** How long a hop that has the job may be away before it counts as lost. */
export function awayLimitMs(run: JobRun): number {
  const { record, runLimitMs } = run;
  if (!record.async) return refusedLimitMs(run);
  return Math.max(MOST_AWAY_MS, Math.min(ASYNC_AWAY_MS, runLimitMs ?? Infinity));
}

/** How long a hop may answer that its overlord cannot take a start: it does not come up, or its disk is full. */
export function refusedLimitMs({ record, timeoutMs }: JobRun): number {
  const askedMs = record.async ? (record.timeoutMs ?? MOST_AWAY_MS) : timeoutMs;
  return Math.min(MOST_AWAY_MS, Math.max(LEAST_AWAY_MS, askedMs));
}
