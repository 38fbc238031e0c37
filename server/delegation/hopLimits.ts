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
