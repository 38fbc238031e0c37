import { hash } from "node:crypto";
import type { SqlJsStatic } from "sql.js";
import { allWell, JOB_ID_FINISHED, type JobSummary } from "../../protocol/jobs";
import { textBytes, type Database, type SqlValue } from "./database";
import { metaOf, openDatabase, setMeta } from "./databaseMeta";
import type { DayJob, Roster } from "./dayJob";
import { packNumbers } from "./nameSet";
import { INDEX_SCHEMA } from "./schema";

const CACHE_KIB = 8_192;
const MAX_CACHED_DAYS = 100_000;

/** What retention decides by. */
export interface KeptJob {
  id: string;
  day: string;
  finishedAtMs: number;
}

/** All jobs of all days: what lists show of them, and where the rest is. */
export class JobIndex {
  readonly database: Database;
  changes = 0;
  savedChanges = 0;
  /** Job id to day, for events. */
  private readonly days = new Map<string, string>();
  private readonly rosters = new WeakMap<Roster, number>();
  private inTransaction = false;

  /** Throws DamagedFile. */
  constructor(sqlite: SqlJsStatic, image?: Uint8Array) {
    this.database = openDatabase(sqlite, INDEX_SCHEMA, CACHE_KIB, image);
  }

  get isDirty(): boolean {
    return this.changes !== this.savedChanges;
  }

  /** Up to this journal record everything is in the files. */
  get checkpointSeq(): number {
    return metaOf(this.database, "checkpoint");
  }

  /** The highest number that was ever applied. */
  get lastSeq(): number {
    return metaOf(this.database, "last");
  }

  setSeqs(checkpoint: number, last: number): void {
    this.changes++;
    setMeta(this.database, "checkpoint", checkpoint);
    setMeta(this.database, "last", last);
  }

  begin(): void {
    this.changes++;
    if (this.inTransaction) return;
    this.database.run("BEGIN");
    this.inTransaction = true;
  }

  commit(): void {
    if (!this.inTransaction) return;
    this.database.run("COMMIT");
    this.inTransaction = false;
  }

  dayOf(jobId: string): string | undefined {
    const known = this.days.get(jobId);
    if (known !== undefined) return known;
    const [day] = this.database.first("SELECT day FROM jobs WHERE id = ?", [jobId]) ?? [];
    if (typeof day !== "string") return undefined;
    this.rememberDay(jobId, day);
    return day;
  }

  /** Of a job that has no row yet. False where there is no more room: it needs its row first. */
  rememberDay(jobId: string, day: string): boolean {
    if (this.days.size >= MAX_CACHED_DAYS) {
      this.days.clear();
      return false;
    }
    this.days.set(jobId, day);
    return true;
  }

  /** The job as it stands now. */
  put(day: string, job: DayJob): void {
    this.begin();
    const { id, createdAtMs, module, method } = job.record;
    const roster = this.rosters.get(job.roster) ?? this.keepRoster(job.roster);
    this.database.run(
      `INSERT INTO jobs (id, day, roster, created_at, finished_at, open, problems, module, method, summary)
       VALUES (CAST(? AS TEXT), ?, ?, ?, ?, ?, ?, CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT))
       ON CONFLICT (id) DO UPDATE SET finished_at = excluded.finished_at, open = excluded.open,
       problems = excluded.problems, summary = excluded.summary, lost = NULL`,
      [
        textBytes(id),
        day,
        roster,
        createdAtMs,
        job.finishedAtMs ?? null,
        Number(job.isOpen),
        Number(job.hasProblems),
        textBytes(module),
        textBytes(method),
        textBytes(JSON.stringify(job.summary())),
      ],
    );
  }

  /** Also where they were known before. */
  hold(jobId: string, hashes: readonly Uint8Array[]): void {
    this.begin();
    for (const sha256 of hashes) {
      this.database.run("INSERT OR IGNORE INTO held SELECT job, ? FROM jobs WHERE id = ?", [
        sha256,
        jobId,
      ]);
    }
  }

  delete(jobId: string): void {
    this.days.delete(jobId);
    const [job] = this.database.first("SELECT job FROM jobs WHERE id = ?", [jobId]) ?? [];
    if (job === undefined) return;
    this.begin();
    this.database.run("DELETE FROM held WHERE job = ?", [job]);
    this.database.run("DELETE FROM jobs WHERE job = ?", [job]);
  }

  find(jobId: string): JobSummary | undefined {
    const [summary] = this.database.first("SELECT summary FROM jobs WHERE id = ?", [jobId]) ?? [];
    return summary === undefined ? undefined : (JSON.parse(String(summary)) as JobSummary);
  }

  /** Why the job's results are gone; undefined where they are not. */
  lostOf(jobId: string): string | undefined {
    const [lost] = this.database.first("SELECT lost FROM jobs WHERE id = ?", [jobId]) ?? [];
    return typeof lost === "string" ? lost : undefined;
  }

  /** The results of these jobs are gone. What ran is lost, so that nobody waits for it. */
  setLost(jobIds: readonly string[], why: string, nowMs: number): void {
    for (const id of jobIds) {
      const summary = this.find(id);
      if (!summary) continue;
      this.begin();
      const ended = summary.finished ? summary : withoutRunning(summary, nowMs);
      this.database.run(
        "UPDATE jobs SET lost = CAST(? AS TEXT), open = 0, finished_at = ?, problems = ?, " +
          "summary = CAST(? AS TEXT) WHERE id = ?",
        [
          textBytes(why),
          ended.finishedAtMs ?? nowMs,
          Number(!allWell(ended)),
          textBytes(JSON.stringify(ended)),
          id,
        ],
      );
    }
  }

  close(): void {
    this.database.close();
  }

  jobsOf(day: string): string[] {
    return this.ids("SELECT id FROM jobs WHERE day = ? ORDER BY job", [day]);
  }

  /** Those that have not finished, or whose minions have to be told something. */
  openJobs(): string[] {
    return this.ids("SELECT id FROM jobs WHERE open = 1 ORDER BY created_at, id");
  }

  allDays(): string[] {
    return this.ids("SELECT DISTINCT day FROM jobs");
  }

  get jobCount(): number {
    return this.database.number("SELECT count(*) FROM jobs");
  }

  jobsByDay(): Map<string, number> {
    const rows = this.database.all("SELECT day, count(*) FROM jobs GROUP BY day");
    return new Map(rows.map(([day, count]) => [String(day), Number(count)]));
  }

  /** Those that have finished, oldest end first. */
  finishedJobs(): KeptJob[] {
    const rows = this.database.all(
      "SELECT id, day, finished_at FROM jobs WHERE finished_at IS NOT NULL ORDER BY finished_at, id",
    );
    return rows.map(([id, day, finishedAtMs]) => ({
      id: String(id),
      day: String(day),
      finishedAtMs: Number(finishedAtMs),
    }));
  }

  heldOutputs(): { jobId: string; sha256: string[] }[] {
    const held = new Map<string, string[]>();
    const rows = this.database.rows("SELECT id, sha256 FROM held JOIN jobs USING (job)");
    for (const [id, sha256] of rows) {
      const jobId = String(id);
      const list = held.get(jobId) ?? [];
      held.set(jobId, list);
      if (sha256 instanceof Uint8Array) list.push(Buffer.from(sha256).toString("hex"));
    }
    return [...held].map(([jobId, sha256]) => ({ jobId, sha256 }));
  }

  private ids(sql: string, values: SqlValue[] = []): string[] {
    return this.database.all(sql, values).map(([id]) => String(id));
  }

  private keepRoster(roster: Roster): number {
    const names = roster.minions.map(({ name }) => name);
    const digest = hash("sha256", JSON.stringify(names), "buffer").subarray(0, 16);
    const find = "SELECT roster FROM rosters WHERE hash = ?";
    if (!this.database.first(find, [digest])) {
      const packed = packNumbers(names.map((name) => this.nameNumber(name)));
      this.database.run("INSERT INTO rosters (hash, names) VALUES (?, ?)", [digest, packed]);
    }
    const number = this.database.number(find, [digest]);
    this.rosters.set(roster, number);
    return number;
  }

  private nameNumber(name: string): number {
    const text = textBytes(name);
    this.database.run("INSERT OR IGNORE INTO names (text) VALUES (CAST(? AS TEXT))", [text]);
    return this.database.number("SELECT name FROM names WHERE text = CAST(? AS TEXT)", [text]);
  }
}

function withoutRunning(summary: JobSummary, nowMs: number): JobSummary {
  const { queued = 0, sent = 0, running = 0, lost = 0, ...counts } = summary.counts;
  const all = queued + sent + running + lost;
  return {
    ...summary,
    finished: true,
    finishedAtMs: nowMs,
    code: JOB_ID_FINISHED,
    counts: { ...counts, ...(all > 0 && { lost: all }) },
  };
}
