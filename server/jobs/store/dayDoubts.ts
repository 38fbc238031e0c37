import type { DayDatabase } from "./dayDatabase";
import { keepDetail, runningText } from "./dayDetails";
import type { DayJob } from "./dayJob";
import { attemptRow, safeDetail } from "./dayQueries";
import { DOUBTED, isFinal, type ResultDetail } from "./dayRows";
import type { Doubt, JobEvent } from "./storeTypes";

/** Hops that a call may have been begun over, beside the last one. */
const MAX_DOUBTS = 16;

/** Adds to what is in doubt of those that have not ended; or takes away what is over, of all. */
export function changeDoubts(
  day: DayDatabase,
  job: DayJob,
  event: Extract<JobEvent, { kind: "doubted" }>,
): void {
  const { minions, attempt, hop, hopJobId, isOver = false } = event;
  const doubt: Doubt = { hop, ...(hopJobId !== undefined && { hopJobId }) };
  for (const minion of minions) {
    const place = job.roster.places.get(minion);
    if (place === undefined || attempt !== job.attempt(place)) continue;
    const doubts = doubtsOf(day, job, place);
    const others = doubts.filter((one) => one.hop !== hop || one.hopJobId !== hopJobId);
    const isKnown = others.length < doubts.length;
    const isFull = doubts.length >= MAX_DOUBTS;
    if (isOver ? !isKnown : isKnown || isFull || isFinal(job.state(place))) continue;
    keepDoubts(day, job, place, isOver ? others : [...doubts, doubt]);
  }
}

/** Of the latest attempt. */
export function doubtsOf(day: DayDatabase, job: DayJob, place: number): readonly Doubt[] {
  if (!(job.flagsOf(place) & DOUBTED)) return [];
  return detailAt(day, job, place).doubts ?? [];
}

function keepDoubts(day: DayDatabase, job: DayJob, place: number, doubts: readonly Doubt[]): void {
  const attempt = job.attempt(place);
  const state = job.state(place);
  const { doubts: _, ...rest } = detailAt(day, job, place);
  const any = doubts.length > 0;
  const flags = (job.flagsOf(place) & ~DOUBTED) | (any ? DOUBTED : 0);
  day.begin();
  day.database.run(
    "INSERT INTO results (job, place, attempt, state, flags, detail, hash) " +
      "VALUES (?, ?, ?, ?, ?, CAST(? AS TEXT), ?) ON CONFLICT (job, place, attempt) DO UPDATE SET " +
      "flags = excluded.flags, detail = excluded.detail, hash = excluded.hash",
    [
      ...[job.number, place, attempt, state, flags],
      ...keepDetail(day, runningText({ ...rest, ...(any && { doubts }) })),
    ],
  );
  job.set(place, attempt, state, flags);
}

function detailAt(day: DayDatabase, job: DayJob, place: number): ResultDetail {
  const row = attemptRow(day, job, place, job.attempt(place));
  return row ? safeDetail(day, row) : {};
}
