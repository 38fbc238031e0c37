import { chmodSync } from "node:fs";
import { join } from "node:path";
import type { SqlJsStatic } from "sql.js";
import { syncFolder } from "../../common/atomicFile";
import { isFull } from "../../common/diskReserve";
import { FuncError, messageOf } from "../../common/errors";
import { makeFoldersSync } from "../../common/makeFolders";
import type { DayDatabase } from "./dayDatabase";
import { applyToDay } from "./dayEvents";
import type { DayJob } from "./dayJob";
import { Days, type DamageReport } from "./days";
import { JobIndex } from "./jobIndex";
import { readJobIndex, saveJobIndex } from "./jobIndexFile";
import { diskError } from "./storeProblem";
import type { JobEvent } from "./storeTypes";
import type { StoreOpened } from "./workerProtocol";

/** A transaction has at most so many events, and takes at most so long. */
const BATCH_EVENTS = 100;
const BATCH_MS = 20;
/** A day may have been written after the index, and have higher numbers: by far less than this. */
const SEQ_LEAP = 1_000_000;
const DEFAULT_MEMORY_BYTES = 64 * 1024 * 1024;

export interface StoreDatabasesOptions {
  folder: string;
  memoryBytes?: number;
  /** A sentence for the log. */
  problem: (message: string) => void;
}

/** A job that is in the index, and its day. */
export interface FoundJob {
  day: DayDatabase;
  job: DayJob;
}

/** The index and the days: what events change, and what is written to the disk when. */
export class StoreDatabases {
  readonly days: Days;
  index: JobIndex;
  /** Jobs that were seen to end, and when, by performance.now(). */
  readonly endsSeen = new Map<string, number>();
  /** Days that lost jobs: where they have none left, their files go with the next checkpoint. */
  private readonly emptied = new Set<string>();
  /** Jobs whose rows in the index are behind; true where they may refer to other outputs in files. */
  private readonly stale = new Map<string, boolean>();
  private seq = 0;
  private report: (message: string) => void;

  /** Throws FuncError "unavailable". */
  constructor(
    private readonly sqlite: SqlJsStatic,
    private readonly options: StoreDatabasesOptions,
  ) {
    const { folder, memoryBytes = DEFAULT_MEMORY_BYTES } = options;
    this.report = options.problem;
    try {
      makeFoldersSync(folder);
      chmodSync(folder, 0o700);
      this.days = new Days(sqlite, folder, memoryBytes, (report) => {
        this.loseDay(report);
      });
      this.index = new JobIndex(sqlite);
    } catch (error) {
      throw diskError(folder, error);
    }
  }

  /** Reads the index, or makes it again from the days. Throws FuncError "unavailable". */
  open(): StoreOpened {
    const problems: string[] = [];
    this.report = (message) => void problems.push(message);
    try {
      this.days.sweep();
      this.readIndex();
      const indexed = new Set(this.index.allDays());
      const stored = new Set(this.days.stored());
      let lastSeq = this.index.lastSeq;
      for (const day of stored) {
        if (!indexed.has(day)) lastSeq = Math.max(lastSeq, this.adopt(day));
      }
      for (const day of indexed) {
        if (stored.has(day)) continue;
        this.loseDay({ day, message: `${join(this.options.folder, `${day}.db`)} is missing` });
      }
      this.settle();
      this.seq = lastSeq;
      return { appliedSeq: this.index.checkpointSeq, lastSeq: lastSeq + SEQ_LEAP, problems };
    } catch (error) {
      throw diskError(this.options.folder, error);
    } finally {
      this.report = this.options.problem;
    }
  }

  /** Changes what is in memory. `lines` are JobEvents as JSON. */
  apply(seq: number, lines: readonly string[]): void {
    const days = new Set<DayDatabase>();
    let startedMs = performance.now();
    for (const [at, line] of lines.entries()) {
      const event = JSON.parse(line) as JobEvent;
      const day = this.dayFor(event);
      if (day && seq > day.seq) {
        days.add(day);
        applyToDay(day, event);
      }
      if (day) this.follow(event, day);
      if (at % BATCH_EVENTS === 0 || performance.now() - startedMs > BATCH_MS) {
        for (const changed of days) changed.commit();
        startedMs = performance.now();
      }
    }
    for (const day of days) {
      day.commit();
      day.seq = seq;
    }
    this.seq = Math.max(this.seq, seq);
  }

  /** The job with its day; undefined where it is not kept. Throws FuncError "bad-data" where its day is lost. */
  find(jobId: string): FoundJob | undefined {
    const name = this.index.dayOf(jobId);
    if (name === undefined) return undefined;
    const day = this.openDay(name);
    const job = day?.find(jobId);
    if (day && job) return { day, job };
    const why = this.index.lostOf(jobId) ?? `it is not in the database of ${name}`;
    throw new FuncError(
      "bad-data",
      `What job ${jobId} was started with and its results are lost: ${why}.`,
      "Start it again where you need its results.",
    );
  }

  /** Those that have not finished, or whose minions have to be told something. */
  openJobs(): FoundJob[] {
    this.settle();
    return this.index.openJobs().flatMap((id) => {
      try {
        return this.find(id) ?? [];
      } catch (error) {
        // nobody can go on with it
        this.index.setLost([id], messageOf(error), Date.now());
        this.index.commit();
        return [];
      }
    });
  }

  /** Deletes jobs whatever their state. */
  delete(jobIds: readonly string[]): void {
    this.settle();
    const byDay = new Map<string, string[]>();
    for (const id of jobIds) {
      const name = this.index.dayOf(id);
      if (name === undefined) continue;
      byDay.set(name, [...(byDay.get(name) ?? []), id]);
    }
    for (const [name, ids] of byDay) {
      for (const id of ids) this.forget(id);
      // a day that has none left goes as a whole
      if (this.index.jobsOf(name).length === 0) continue;
      const day = this.openDay(name);
      for (const id of ids) day?.delete(id);
      day?.commit();
    }
    this.index.commit();
  }

  /**
   * Writes all that has changed; gives the journal record up to which everything is in the files now. Events
   * may be applied meanwhile. Throws FuncError "unavailable".
   */
  async checkpoint(): Promise<number> {
    this.settle();
    const emptied = [...this.emptied].filter((day) => this.isEmptied(day));
    try {
      return await this.save(emptied).catch(async (error: unknown) => {
        if (!isFull(error) || emptied.length === 0) throw error;
        // what is to go makes room for what is to be written
        await this.remove(emptied);
        return this.save([]);
      });
    } catch (error) {
      throw diskError(this.options.folder, error);
    }
  }

  /** Brings the index up to date. To be called before anything is asked of it. */
  settle(): void {
    for (const [id, hasOutputs] of this.stale) {
      const name = this.index.dayOf(id);
      const day = name === undefined ? undefined : this.openDay(name);
      const job = day?.find(id);
      if (day && job) {
        this.index.put(day.day, job);
        if (hasOutputs) this.index.hold(id, day.heldBy(job));
      } else if (this.index.lostOf(id) === undefined) this.index.delete(id);
    }
    this.stale.clear();
    this.index.commit();
    this.days.evict();
  }

  /** Without writing anything. */
  close(): void {
    this.days.close();
    this.index.close();
  }

  private async save(emptied: readonly string[]): Promise<number> {
    this.settle();
    const { seq } = this;
    for (const day of this.days.dirty()) {
      if (!emptied.includes(day.day)) await this.days.save(day);
    }
    await syncFolder(this.options.folder);
    await saveJobIndex(this.index, this.options.folder, seq, this.seq);
    await this.remove(emptied);
    return seq;
  }

  private async remove(days: readonly string[]): Promise<void> {
    for (const day of days) {
      // a job may have come since
      if (!this.isEmptied(day)) continue;
      this.emptied.delete(day);
      await this.days.remove(day);
    }
  }

  private isEmptied(day: string): boolean {
    return this.emptied.has(day) && this.index.jobsOf(day).length === 0;
  }

  private dayFor(event: JobEvent): DayDatabase | undefined {
    if (event.kind !== "created") {
      const day = this.index.dayOf(event.jobId);
      return day === undefined ? undefined : this.openDay(day);
    }
    const { id, createdAtMs } = event.job;
    const day = this.index.dayOf(id) ?? Days.dayOf(createdAtMs);
    if (!this.index.rememberDay(id, day)) {
      this.settle();
      this.index.rememberDay(id, day);
    }
    if (this.emptied.has(day)) this.reuse(day);
    return this.days.openOrCreate(day);
  }

  /** What the index is to know of an event: also of one that its day contains already. */
  private follow(event: JobEvent, day: DayDatabase): void {
    if (event.kind === "deleted" && !day.find(event.jobId)) {
      this.stale.delete(event.jobId);
      this.forget(event.jobId);
      return;
    }
    const id = event.kind === "created" ? event.job.id : event.jobId;
    if (event.kind === "noted" && event.event === "finished") {
      this.endsSeen.set(id, performance.now());
    }
    const hasOutputs = event.kind === "ended" && event.result.outputs.length > 0;
    this.stale.set(id, hasOutputs || this.stale.get(id) === true);
  }

  private forget(jobId: string): void {
    const day = this.index.dayOf(jobId);
    this.index.delete(jobId);
    if (day !== undefined) this.emptied.add(day);
  }

  /** A day whose jobs were all forgotten gets new ones. */
  private reuse(name: string): void {
    this.emptied.delete(name);
    const day = this.openDay(name);
    for (const id of day?.jobIds() ?? []) if (this.index.dayOf(id) === undefined) day?.delete(id);
    day?.commit();
  }

  private openDay(day: string): DayDatabase | undefined {
    try {
      return this.days.open(day);
    } catch (error) {
      throw diskError(this.options.folder, error);
    }
  }

  /** Lists the jobs of a day that the index does not know; gives the day's number. */
  private adopt(name: string): number {
    const day = this.openDay(name);
    for (const id of day?.jobIds() ?? []) {
      this.index.rememberDay(id, name);
      this.stale.set(id, true);
      this.settle();
    }
    return day?.seq ?? 0;
  }

  private loseDay({ day, message }: DamageReport): void {
    const lost = this.index.jobsOf(day);
    this.index.setLost(lost, message, Date.now());
    this.index.commit();
    this.report(`${message}: the results of ${lost.length} jobs are lost.`);
  }

  private readIndex(): void {
    const index = readJobIndex(this.sqlite, this.options.folder, this.report);
    if (!index) return;
    this.index.close();
    this.index = index;
  }
}
