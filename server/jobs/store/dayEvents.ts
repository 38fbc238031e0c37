import { isFailedCommand } from "../../protocol/jobs";
import { textBytes } from "./database";
import type { DayDatabase } from "./dayDatabase";
import { keepDetail, runningText } from "./dayDetails";
import { changeDoubts, doubtsOf } from "./dayDoubts";
import type { DayJob } from "./dayJob";
import { attemptRow, safeDetail } from "./dayQueries";
import {
  AWAITS_WORD,
  CANCEL_PENDING,
  DOUBTED,
  FAILED_COMMAND,
  detailText,
  HAS_MINION_JOB,
  MAY_HAVE_RUN,
  isFinal,
  QUEUED,
  RUNNING,
  SENT,
  stateCode,
  TOLD_CANCEL,
  TOLD_KEPT,
  type ResultDetail,
} from "./dayRows";
import { weightierWord } from "../weightierWord";
import type { JobEvent } from "./storeTypes";

type EventOf<Kind extends JobEvent["kind"]> = Extract<JobEvent, { kind: Kind }>;

const INSERT_ENDED = `INSERT INTO results (
  job, place, attempt, state, flags, began_at, ended_at, duration, exit_status, value_bytes,
  minion_job, digest, detail, hash
) VALUES (
  ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), ?
) ON CONFLICT (job, place, attempt) DO UPDATE SET
  state = excluded.state, flags = excluded.flags, began_at = excluded.began_at,
  ended_at = excluded.ended_at, duration = excluded.duration, exit_status = excluded.exit_status,
  value_bytes = excluded.value_bytes, minion_job = coalesce(excluded.minion_job, minion_job),
  digest = excluded.digest, detail = excluded.detail, hash = excluded.hash`;

/** Changes a day by an event of one of its jobs. A repeat of one, or one that comes too late, changes nothing. */
export function applyToDay(day: DayDatabase, event: JobEvent): void {
  if (event.kind === "created") {
    day.create(event.job);
    return;
  }
  if (event.kind === "deleted") {
    day.delete(event.jobId);
    return;
  }
  const job = day.find(event.jobId);
  if (!job) return;
  switch (event.kind) {
    case "sent":
      send(day, job, event);
      return;
    case "started":
      start(day, job, event);
      return;
    case "started-behind": {
      const { jobId, minions, attempt, atMs, hopJobId: minionJobId, paths } = event;
      const taken = new Map(paths);
      for (const minion of minions) {
        const started = { kind: "started", jobId, minion, attempt, atMs, minionJobId } as const;
        start(day, job, started, taken.get(minion));
      }
      return;
    }
    case "doubted":
      changeDoubts(day, job, event);
      return;
    case "ended":
      end(day, job, event);
      return;
    case "told":
      tell(day, job, event);
      return;
    case "later":
      addLater(day, job, event);
      return;
    case "retried":
      retry(day, job, event);
      return;
    case "noted":
      note(day, job, event);
  }
}

/** The minion's place where the attempt is its latest and has not ended. */
function placeToChange(job: DayJob, minion: string, attempt: number): number | undefined {
  const place = job.roster.places.get(minion);
  if (place === undefined || attempt !== job.attempt(place)) return undefined;
  return isFinal(job.state(place)) ? undefined : place;
}

function send(day: DayDatabase, job: DayJob, event: EventOf<"sent">): void {
  const { minion, attempt } = event;
  const place = placeToChange(job, minion, attempt);
  if (place === undefined) return;
  const state = job.state(place) === RUNNING ? RUNNING : SENT;
  day.begin();
  day.database.run(
    "INSERT INTO results (job, place, attempt, state, sent_at) VALUES (?, ?, ?, ?, ?) " +
      "ON CONFLICT (job, place, attempt) DO UPDATE SET state = excluded.state, sent_at = excluded.sent_at",
    [job.number, place, attempt, state, event.atMs - job.record.createdAtMs],
  );
  job.set(place, attempt, state, job.flagsOf(place));
}

function start(
  day: DayDatabase,
  job: DayJob,
  event: EventOf<"started">,
  path?: readonly string[],
): void {
  const { minion, attempt, minionJobId } = event;
  const place = placeToChange(job, minion, attempt);
  if (place === undefined) return;
  const flags = job.flagsOf(place) | HAS_MINION_JOB;
  const at = event.atMs - job.record.createdAtMs;
  const doubts = doubtsOf(day, job, place);
  day.begin();
  day.database.run(
    "INSERT INTO results (job, place, attempt, state, flags, running_at, minion_job, detail, hash) " +
      "VALUES (?, ?, ?, ?, ?, ?, CAST(? AS TEXT), CAST(? AS TEXT), ?) " +
      "ON CONFLICT (job, place, attempt) DO UPDATE SET state = excluded.state, flags = excluded.flags, " +
      "running_at = excluded.running_at, minion_job = excluded.minion_job, detail = excluded.detail, " +
      "hash = excluded.hash",
    [
      ...[job.number, place, attempt, RUNNING, flags, at, textBytes(minionJobId)],
      ...keepDetail(
        day,
        runningText({ ...(path && { path }), ...(doubts.length > 0 && { doubts }) }),
      ),
    ],
  );
  job.set(place, attempt, RUNNING, flags);
}

function end(day: DayDatabase, job: DayJob, { result }: EventOf<"ended">): void {
  const { minion, attempt, minionJobId, digest } = result;
  const place = placeToChange(job, minion, attempt);
  const state = stateCode(result.state);
  if (place === undefined || !isFinal(state)) return;
  // the hops in doubt are to be told of it, or asked
  const isOpen = result.mayHaveRun && (result.state === "cancelled" || result.state === "lost");
  const doubts = isOpen ? doubtsOf(day, job, place) : [];
  const owed = doubts.filter(({ hopJobId }) => hopJobId !== undefined);
  const flags =
    (job.flagsOf(place) & ~DOUBTED) |
    (owed.length > 0 ? DOUBTED : 0) |
    (result.awaitsWord ? AWAITS_WORD : 0) |
    (result.cancelPending ? CANCEL_PENDING : 0) |
    (result.mayHaveRun ? MAY_HAVE_RUN : 0) |
    (isFailedCommand(result) ? FAILED_COMMAND : 0) |
    (minionJobId !== undefined ? HAS_MINION_JOB : 0);
  const { createdAtMs } = job.record;
  day.begin();
  day.database.run(INSERT_ENDED, [
    job.number,
    place,
    attempt,
    state,
    flags,
    result.startedAtMs === undefined ? null : result.startedAtMs - createdAtMs,
    result.atMs - createdAtMs,
    result.durationMs ?? null,
    result.exitStatus ?? null,
    result.valueBytes,
    minionJobId === undefined ? null : textBytes(minionJobId),
    digest === undefined ? null : textBytes(digest),
    ...keepDetail(day, detailText(result, owed)),
  ]);
  for (const { sha256 } of result.outputs) {
    const values = [job.number, Buffer.from(sha256, "hex")];
    day.database.run("INSERT OR IGNORE INTO held VALUES (?, ?)", values);
  }
  job.set(place, attempt, state, flags);
}

function tell(day: DayDatabase, job: DayJob, { minion, attempt, what }: EventOf<"told">): void {
  const place = job.roster.places.get(minion);
  if (place === undefined) return;
  const flag = what === "kept" ? TOLD_KEPT : TOLD_CANCEL;
  day.begin();
  day.database.run(
    "UPDATE results SET flags = flags | ? WHERE job = ? AND place = ? AND attempt = ?",
    [flag, job.number, place, attempt],
  );
  if (attempt === job.attempt(place) && day.database.changed > 0) {
    job.set(place, attempt, job.state(place), job.flagsOf(place) | flag);
  }
}

/** To what is kept of an attempt that has ended. */
function addLater(day: DayDatabase, job: DayJob, event: EventOf<"later">): void {
  const { minion, attempt, later } = event;
  const place = job.roster.places.get(minion);
  if (place === undefined) return;
  const row = attemptRow(day, job, place, attempt);
  if (!row || !isFinal(row.state)) return;
  const known = safeDetail(day, row);
  const detail: ResultDetail = { ...known, later: weightierWord(known.later, later) };
  day.begin();
  day.database.run(
    "UPDATE results SET detail = CAST(? AS TEXT), hash = ? WHERE job = ? AND place = ? AND attempt = ?",
    [...keepDetail(day, JSON.stringify(detail)), job.number, place, attempt],
  );
}

function retry(day: DayDatabase, job: DayJob, event: EventOf<"retried">): void {
  const { minions, attempt, atMs } = event;
  const at = atMs - job.record.createdAtMs;
  let isNew = false;
  for (const minion of minions) {
    const place = job.roster.places.get(minion);
    if (place === undefined || attempt <= job.attempt(place)) continue;
    isNew = true;
    day.begin();
    day.database.run(
      "INSERT INTO results (job, place, attempt, state, queued_at) VALUES (?, ?, ?, ?, ?)",
      [job.number, place, attempt, QUEUED, at],
    );
    job.set(place, attempt, QUEUED, 0);
  }
  if (!isNew) return;
  job.finishedAtMs = undefined;
  job.cancelRequested = false;
  day.database.run("UPDATE jobs SET finished_at = NULL, cancel_requested = 0 WHERE job = ?", [
    job.number,
  ]);
  keepNote(day, job, atMs, "retried");
}

function note(day: DayDatabase, job: DayJob, { atMs, event, cause }: EventOf<"noted">): void {
  // a minion was called again while the last one's end was being written
  if (event === "finished" && job.hasOpenMinions) return;
  day.begin();
  if (event === "finished") {
    job.finishedAtMs = atMs;
    day.database.run("UPDATE jobs SET finished_at = ? WHERE job = ?", [atMs, job.number]);
  } else if (event === "cancel-requested") {
    job.cancelRequested = true;
    day.database.run("UPDATE jobs SET cancel_requested = 1 WHERE job = ?", [job.number]);
  }
  keepNote(day, job, atMs, event, cause);
}

function keepNote(
  day: DayDatabase,
  job: DayJob,
  atMs: number,
  event: string,
  cause?: string,
): void {
  day.database.run("INSERT OR IGNORE INTO notes VALUES (?, ?, ?, CAST(? AS TEXT))", [
    job.number,
    atMs - job.record.createdAtMs,
    event,
    cause === undefined ? null : textBytes(cause),
  ]);
}
