import { hash } from "node:crypto";
import { join } from "node:path";
import type { SqlJsStatic } from "sql.js";
import { copyLog, isMostlyFree, liveOutputs, replaceOutputs } from "./dayCompaction";
import { textBytes, type Database } from "./database";
import { metaOf, openDatabase, setMeta } from "./databaseMeta";
import { DayJob, type MinionStand, type Roster } from "./dayJob";
import { OutputLog, outputHash } from "./outputLog";
import { DAY_SCHEMA } from "./schema";
import type { JobRecord } from "./storeTypes";

const CACHE_KIB = 8_192;
/** Of all jobs that are kept in memory, a few bytes for each. */
const MAX_CACHED_MINIONS = 1_000_000;
const MAX_CACHED_ROSTERS = 64;
/** A smaller log is not worth being copied. */
const LEAST_LOG_BYTES = 1024 * 1024;

/** The jobs of one day: its database in memory, and the log of its larger outputs. */
export class DayDatabase {
  readonly database: Database;
  /** Used last, by a clock that only goes forward. */
  usedAt = 0;
  /** Changes since it was loaded, and those that its file has. */
  changes = 0;
  savedChanges = 0;
  private readonly jobs = new Map<string, DayJob>();
  private cachedMinions = 0;
  private readonly rosters = new Map<number, Roster>();
  private inTransaction = false;

  /** Throws DamagedFile. */
  constructor(
    sqlite: SqlJsStatic,
    private readonly folder: string,
    /** `2026-11-22`. */
    readonly day: string,
    image?: Uint8Array,
  ) {
    this.database = openDatabase(sqlite, DAY_SCHEMA, CACHE_KIB, image);
    this.generation = metaOf(this.database, "generation");
    this.log = new OutputLog(this.logFile(), metaOf(this.database, "log"));
    this.bytes = image?.length ?? 0;
    this.seq = metaOf(this.database, "seq");
  }

  log: OutputLog;
  /** About what it takes in memory. */
  bytes: number;
  /** Number of the last journal record that is in it. */
  seq: number;
  /** Which of its logs is the present one. */
  private generation: number;
  private oldLogs: string[] = [];
  private hasDeleted = false;

  get isDirty(): boolean {
    return this.changes !== this.savedChanges;
  }

  /** To be called before each change. */
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

  /** Throws what the disk says where the log cannot be made durable. */
  export(): Uint8Array {
    this.log.sync();
    setMeta(this.database, "seq", this.seq);
    setMeta(this.database, "log", this.log.bytes);
    setMeta(this.database, "generation", this.generation);
    const image = this.database.export();
    this.bytes = image.length;
    return image;
  }

  get jobCount(): number {
    return this.database.number("SELECT count(*) FROM jobs");
  }

  jobIds(): string[] {
    return this.database.all("SELECT id FROM jobs ORDER BY job").map(([id]) => String(id));
  }

  /** SHA-256 of the outputs in files that a job refers to. */
  heldBy({ number }: DayJob): Uint8Array[] {
    const rows = this.database.all("SELECT sha256 FROM held WHERE job = ?", [number]);
    return rows.flatMap(([hash]) => (hash instanceof Uint8Array ? [hash] : []));
  }

  find(jobId: string): DayJob | undefined {
    const known = this.jobs.get(jobId);
    if (known) {
      this.jobs.delete(jobId);
      this.jobs.set(jobId, known);
      return known;
    }
    const job = this.load(jobId);
    if (job) this.cache(jobId, job);
    return job;
  }

  /** Nothing happens where it is there already. */
  create({ minions, ...record }: JobRecord): void {
    if (this.find(record.id)) return;
    this.begin();
    const text = JSON.stringify(minions);
    const digest = hash("sha256", text, "buffer").subarray(0, 16);
    const insert = "INSERT OR IGNORE INTO rosters (hash, minions) VALUES (?, CAST(? AS TEXT))";
    this.database.run(insert, [digest, textBytes(text)]);
    this.database.run(
      "INSERT INTO jobs (id, roster, record, created_at) " +
        "SELECT CAST(? AS TEXT), roster, CAST(? AS TEXT), ? FROM rosters WHERE hash = ?",
      [textBytes(record.id), textBytes(JSON.stringify(record)), record.createdAtMs, digest],
    );
  }

  /** With all that belongs to it but its part of the log. */
  delete(jobId: string): void {
    const job = this.find(jobId);
    if (!job) return;
    this.begin();
    this.hasDeleted = true;
    this.drop(jobId);
    for (const table of ["results", "notes", "held", "jobs"]) {
      this.database.run(`DELETE FROM ${table} WHERE job = ?`, [job.number]);
    }
  }

  /** Keeps a text in the log, equal ones once; gives what to find it by. */
  keepText(text: Uint8Array): Uint8Array {
    const digest = outputHash(text);
    const known = this.database.first("SELECT 1 FROM outputs WHERE hash = ?", [digest]);
    if (!known) {
      const { offset, length } = this.log.append(text);
      this.database.run("INSERT INTO outputs VALUES (?, ?, ?)", [digest, offset, length]);
    }
    return digest;
  }

  /** Throws DamagedFile, or what the disk says. */
  textOf(digest: Uint8Array): string {
    const found = this.database.first("SELECT offset, length FROM outputs WHERE hash = ?", [
      digest,
    ]);
    const [offset, length] = found ?? [0, 0];
    return this.log.read({ offset: Number(offset), length: Number(length) }, digest).toString();
  }

  /**
   * Gives back the room of deleted jobs where they had much. The present log stays until the database that does
   * without it is written: then takeOldLogs names it.
   */
  compact(): void {
    if (!this.hasDeleted) return;
    this.hasDeleted = false;
    if (isMostlyFree(this.database)) this.database.script("VACUUM");
    const live = liveOutputs(this.database);
    const liveBytes = live.reduce((sum, { place }) => sum + place.length, 0);
    if (this.log.bytes < LEAST_LOG_BYTES || liveBytes > this.log.bytes / 2) return;
    const log = copyLog(this.log, this.logFile(this.generation + 1), live);
    if (!log) return;
    this.begin();
    replaceOutputs(this.database, live);
    this.commit();
    this.generation++;
    this.log.close();
    this.oldLogs.push(this.log.file);
    this.log = log;
  }

  /** Those that nothing refers to any more; to be removed. */
  takeOldLogs(): string[] {
    return this.oldLogs.splice(0);
  }

  close(): void {
    this.database.close();
    this.log.close();
  }

  private logFile(generation = this.generation): string {
    const suffix = generation === 0 ? "" : `.${generation}`;
    return join(this.folder, `${this.day}${suffix}.outputs`);
  }

  private load(jobId: string): DayJob | undefined {
    const found = this.database.first(
      "SELECT job, roster, record, finished_at, cancel_requested FROM jobs WHERE id = ?",
      [jobId],
    );
    if (!found) return undefined;
    const [number, roster, record, finishedAtMs, cancelRequested] = found;
    const job = new DayJob(
      Number(number),
      JSON.parse(String(record)) as Omit<JobRecord, "minions">,
      this.roster(Number(roster)),
      () => this.stands(Number(number)),
    );
    job.finishedAtMs = typeof finishedAtMs === "number" ? finishedAtMs : undefined;
    job.cancelRequested = cancelRequested === 1;
    return job;
  }

  private *stands(job: number): Generator<MinionStand> {
    const rows = this.database.rows(
      "SELECT place, attempt, state, flags FROM results WHERE job = ? ORDER BY place, attempt",
      [job],
    );
    for (const [place, attempt, state, flags] of rows) {
      yield {
        place: Number(place),
        attempt: Number(attempt),
        state: Number(state),
        flags: Number(flags),
      };
    }
  }

  private roster(number: number): Roster {
    const known = this.rosters.get(number);
    if (known) return known;
    const [text] =
      this.database.first("SELECT minions FROM rosters WHERE roster = ?", [number]) ?? [];
    const minions = JSON.parse(String(text ?? "[]")) as JobRecord["minions"];
    const roster = { minions, places: new Map(minions.map(({ name }, place) => [name, place])) };
    this.rosters.set(number, roster);
    for (const oldest of this.rosters.keys()) {
      if (this.rosters.size <= MAX_CACHED_ROSTERS) break;
      this.rosters.delete(oldest);
    }
    return roster;
  }

  private cache(jobId: string, job: DayJob): void {
    this.jobs.set(jobId, job);
    this.cachedMinions += job.total;
    for (const oldest of this.jobs.keys()) {
      if (this.cachedMinions <= MAX_CACHED_MINIONS || oldest === jobId) break;
      this.drop(oldest);
    }
  }

  private drop(jobId: string): void {
    this.cachedMinions -= this.jobs.get(jobId)?.total ?? 0;
    this.jobs.delete(jobId);
  }
}
