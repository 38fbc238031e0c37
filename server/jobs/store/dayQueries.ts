import type { JobHistoryEvent } from "../../protocol/jobs";
import { oneLine } from "../excerpt";
import { DamagedFile } from "./databaseFile";
import type { DayDatabase } from "./dayDatabase";
import type { DayJob } from "./dayJob";
import {
  AWAITS_WORD,
  CANCEL_PENDING,
  DOUBTED,
  isFinal,
  QUEUED,
  resultOf,
  ROW_COLUMNS,
  rowOf,
  stateOf,
  TOLD_CANCEL,
  TOLD_KEPT,
  type ResultDetail,
  type ResultRow,
} from "./dayRows";
import type { StoredResult, UnfinishedJob, UnfinishedMinion } from "./storeTypes";

/** The latest attempts of at most `limit` minions from place `from`. */
export function latestResults(
  day: DayDatabase,
  job: DayJob,
  from: number,
  limit: number,
): StoredResult[] {
  return latestRows(day, job, from, limit).map((row) => shown(resultOfRow(day, job, row), row));
}

/** All attempts of one minion, oldest first; empty where it is none of the job's. */
export function attemptsOf(day: DayDatabase, job: DayJob, minion: string): StoredResult[] {
  const place = job.roster.places.get(minion);
  if (place === undefined) return [];
  const rows = rowsOf(day, job, place, place + 1);
  // its first attempt has no row while nothing has happened to it
  if (rows[0]?.attempt !== 1) rows.unshift(queuedRow(place));
  return rows.map((row) => shown(resultOfRow(day, job, row), row));
}

export function unfinishedJob(day: DayDatabase, job: DayJob): UnfinishedJob {
  return {
    job: job.fullRecord(),
    cancelRequested: job.cancelRequested,
    finished: job.finishedAtMs !== undefined,
    minions: latestRows(day, job, 0, job.total).map((row) => unfinishedMinion(day, job, row)),
  };
}

/** What happened, oldest first. */
export function historyOf(day: DayDatabase, job: DayJob): JobHistoryEvent[] {
  const { createdAtMs } = job.record;
  const events: JobHistoryEvent[] = [{ kind: "job", atMs: createdAtMs, event: "created" }];
  const notes = day.database.rows("SELECT at, event, cause FROM notes WHERE job = ? ORDER BY at", [
    job.number,
  ]);
  for (const [at, event, cause] of notes) {
    events.push({
      kind: "job",
      atMs: createdAtMs + Number(at),
      event: String(event) as Extract<JobHistoryEvent, { kind: "job" }>["event"],
      ...(typeof cause === "string" && { cause }),
    });
  }
  for (const row of rowsOf(day, job, 0, job.total)) events.push(...minionEvents(day, job, row));
  return events.sort((one, other) => one.atMs - other.atMs || rank(one) - rank(other));
}

/** The values of a row that a search looks at. Throws DamagedFile, or what the disk says. */
export function detailOf(day: DayDatabase, { detail, hash }: ResultRow): ResultDetail {
  const text = detail ?? (hash && day.textOf(hash));
  return text === undefined ? {} : (JSON.parse(text) as ResultDetail);
}

function* minionEvents(day: DayDatabase, job: DayJob, row: ResultRow): Generator<JobHistoryEvent> {
  const minion = job.roster.minions[row.place]?.name ?? "";
  const known = { kind: "minion" as const, minion, attempt: row.attempt };
  if (row.queuedAtMs !== undefined) yield { ...known, atMs: row.queuedAtMs, state: "queued" };
  if (row.sentAtMs !== undefined) yield { ...known, atMs: row.sentAtMs, state: "sent" };
  if (row.runningAtMs !== undefined) yield { ...known, atMs: row.runningAtMs, state: "running" };
  if (row.endedAtMs === undefined) return;
  const state = stateOf(row.state);
  const message = state === "succeeded" ? undefined : safeDetail(day, row).error?.message;
  const cause = message !== undefined && { cause: oneLine(message) };
  yield { ...known, atMs: row.endedAtMs, state, ...cause };
}

/** Of what happened at the same time: a job is created before all and finished after all. */
function rank(event: JobHistoryEvent): number {
  if (event.kind === "minion") {
    if (event.state === "queued") return 3;
    if (event.state === "sent") return 4;
    return event.state === "running" ? 5 : 6;
  }
  if (event.event === "created") return 0;
  return event.event === "finished" ? 7 : 2;
}

/** One for each minion; those that nothing has happened to have one too. */
export function latestRows(
  day: DayDatabase,
  job: DayJob,
  from: number,
  limit: number,
): ResultRow[] {
  const end = Math.min(from + limit, job.total);
  const rows: ResultRow[] = [];
  for (let place = from; place < end; place++) rows.push(queuedRow(place));
  for (const row of rowsOf(day, job, from, end)) rows[row.place - from] = row;
  return rows;
}

/** Undefined where nothing has happened to it. */
export function attemptRow(
  day: DayDatabase,
  job: DayJob,
  place: number,
  attempt: number,
): ResultRow | undefined {
  return rowsOf(day, job, place, place + 1).find((row) => row.attempt === attempt);
}

/** By place and attempt. */
function rowsOf(day: DayDatabase, job: DayJob, from: number, end: number): ResultRow[] {
  const rows = day.database.all(
    `SELECT ${ROW_COLUMNS} FROM results WHERE job = ? AND place >= ? AND place < ? ` +
      "ORDER BY place, attempt",
    [job.number, from, end],
  );
  return rows.map((values) => rowOf(values, job.record.createdAtMs));
}

function queuedRow(place: number): ResultRow {
  return { place, attempt: 1, state: QUEUED, flags: 0, valueBytes: 0 };
}

function resultOfRow(day: DayDatabase, job: DayJob, row: ResultRow): StoredResult {
  const minion = job.roster.minions[row.place]?.name ?? "";
  const { createdAtMs } = job.record;
  return resultOf(row, minion, createdAtMs, isFinal(row.state) ? safeDetail(day, row) : {});
}

/** A damaged log takes the values with it, and nothing else. */
export function safeDetail(day: DayDatabase, row: ResultRow): ResultDetail {
  try {
    return detailOf(day, row);
  } catch (error) {
    const why = error instanceof DamagedFile ? error.message : "it cannot be read";
    const message = `This result is lost: of ${day.log.file}, ${why}.`;
    return {
      excerpt: message,
      error: { type: "exceptions.IOError", message, trace: "", nextStep: "Call the method again." },
    };
  }
}

/** What has come to its end waits for nothing any more. */
function shown(result: StoredResult, { flags }: ResultRow): StoredResult {
  if (!(flags & (CANCEL_PENDING | AWAITS_WORD)) || !(flags & TOLD_CANCEL)) return result;
  const { cancelPending: _, awaitsWord: __, ...rest } = result;
  return rest;
}

function unfinishedMinion(day: DayDatabase, job: DayJob, row: ResultRow): UnfinishedMinion {
  const { attempt, sentAtMs, runningAtMs, minionJobId, flags } = row;
  const result = resultOfRow(day, job, row);
  const { path, doubts } =
    isFinal(row.state) && !(flags & DOUBTED) ? ({} as ResultDetail) : safeDetail(day, row);
  return {
    minion: result.minion,
    attempt,
    ...(sentAtMs !== undefined && { sentAtMs }),
    ...(runningAtMs !== undefined && { startedAtMs: runningAtMs }),
    ...(minionJobId !== undefined && { minionJobId }),
    ...(path && { path }),
    ...(doubts && { doubts }),
    ...(isFinal(row.state) && { result }),
    ...(flags & TOLD_KEPT && { toldKept: true }),
    ...(flags & TOLD_CANCEL && { toldCancel: true }),
  };
}
