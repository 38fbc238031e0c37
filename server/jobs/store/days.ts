import { readdirSync, rmSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { SqlJsStatic } from "sql.js";
import { DamagedFile, readDatabaseFile, setAside, writeDatabaseFile } from "./databaseFile";
import { DayDatabase } from "./dayDatabase";

const DAY = /^(\d{4}-\d\d-\d\d)\.db$/;

const FILE = /^(\d{4}-\d\d-\d\d)\.(?:\d+\.)?(?:db|outputs)$/;

/** A file that was damaged, and what became of it. */
export interface DamageReport {
  day: string;
  message: string;
}

/** The databases of all days: read when they are asked for, and dropped from memory by last use. */
export class Days {
  private readonly loaded = new Map<string, DayDatabase>();
  private clock = 0;

  constructor(
    private readonly sqlite: SqlJsStatic,
    private readonly folder: string,
    /** Of all that are in memory but need not be. */
    private readonly memoryBytes: number,
    private readonly damaged: (report: DamageReport) => void,
  ) {}

  /** The day of a time, in UTC. */
  static dayOf(atMs: number): string {
    return new Date(atMs).toISOString().slice(0, 10);
  }

  /** Those that have a file. */
  stored(): string[] {
    return readdirSync(this.folder)
      .map((name) => DAY.exec(name)?.[1])
      .filter((day) => day !== undefined)
      .sort();
  }

  /** What processes left behind that ended while they wrote. */
  sweep(): void {
    for (const name of readdirSync(this.folder)) {
      if (name.endsWith(".db.tmp")) rmSync(join(this.folder, name), { recursive: true });
    }
  }

  /** Bytes of each day: on the disk, and what its database has grown by in memory. */
  sizes(): Map<string, number> {
    const sizes = new Map<string, number>();
    for (const name of readdirSync(this.folder)) {
      const day = FILE.exec(name)?.[1];
      if (day === undefined) continue;
      const bytes = statSync(join(this.folder, name), { throwIfNoEntry: false })?.size ?? 0;
      sizes.set(day, (sizes.get(day) ?? 0) + bytes);
    }
    return sizes;
  }

  dirty(): DayDatabase[] {
    return [...this.loaded.values()].filter((day) => day.isDirty);
  }

  /** Undefined where it is not there; a damaged one is set aside. Throws what the disk says. */
  open(day: string): DayDatabase | undefined {
    const known = this.loaded.get(day);
    if (known) return this.use(known);
    const file = this.fileOf(day);
    try {
      const image = readDatabaseFile(file);
      if (!image) return undefined;
      const found = this.use(new DayDatabase(this.sqlite, this.folder, day, image));
      for (const name of this.logsOf(day)) {
        const log = join(this.folder, name);
        // of a compaction that the database knows nothing of, or one that it has behind it
        if (log !== found.log.file) rmSync(log);
      }
      return found;
    } catch (error) {
      if (!(error instanceof DamagedFile)) throw error;
      this.setAside(day, error.message);
      return undefined;
    }
  }

  /** As `open`, and made where it is not there. */
  openOrCreate(day: string): DayDatabase {
    return this.open(day) ?? this.use(new DayDatabase(this.sqlite, this.folder, day));
  }

  /** To be called when nobody works with a day: at the end of a request. */
  evict(): void {
    const idle = [...this.loaded.values()]
      .filter((day) => !day.isDirty)
      .sort((one, other) => other.usedAt - one.usedAt);
    let bytes = 0;
    for (const [at, day] of idle.entries()) {
      bytes += day.bytes;
      // the one that was used last stays whatever its size
      if (at > 0 && bytes > this.memoryBytes) this.forget(day.day);
    }
  }

  /** Writes a day that has changed. Throws what the disk says. */
  async save(day: DayDatabase): Promise<void> {
    day.compact();
    const { changes } = day;
    await writeDatabaseFile(this.fileOf(day.day), day.export());
    day.savedChanges = changes;
    for (const log of day.takeOldLogs()) await rm(log, { force: true });
  }

  /** With its outputs. */
  async remove(day: string): Promise<void> {
    this.forget(day);
    // the database first: it must not refer to outputs that are gone
    await rm(this.fileOf(day), { force: true });
    for (const name of this.logsOf(day)) await rm(join(this.folder, name), { force: true });
  }

  /** Without writing anything. */
  close(): void {
    for (const day of [...this.loaded.keys()]) this.forget(day);
  }

  private forget(day: string): void {
    this.loaded.get(day)?.close();
    this.loaded.delete(day);
  }

  private use(day: DayDatabase): DayDatabase {
    day.usedAt = ++this.clock;
    this.loaded.set(day.day, day);
    return day;
  }

  /** The outputs go with it: a new database would write over them. */
  private setAside(day: string, why: string): void {
    const file = this.fileOf(day);
    const aside = setAside(file);
    for (const name of this.logsOf(day)) setAside(join(this.folder, name));
    this.damaged({ day, message: `${file} is damaged (${why}) and was set aside as ${aside}` });
  }

  private fileOf(day: string): string {
    return join(this.folder, `${day}.db`);
  }

  private logsOf(day: string): string[] {
    return readdirSync(this.folder).filter(
      (name) => name.endsWith(".outputs") && FILE.exec(name)?.[1] === day,
    );
  }
}
