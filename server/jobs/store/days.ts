import { readdirSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { SqlJsStatic } from "sql.js";
import { DamagedFile, readDatabaseFile, setAside, writeDatabaseFile } from "./databaseFile";
import { DayDatabase } from "./dayDatabase";

const DAY = /^(\d{4}-\d\d-\d\d)\.db$/;

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

  dirty(): DayDatabase[] {
    return [...this.loaded.values()].filter((day) => day.isDirty);
  }

  /** Also what is only in memory so far. */
  isThere(day: string): boolean {
    return (
      this.loaded.has(day) || statSync(this.fileOf(day), { throwIfNoEntry: false }) !== undefined
    );
  }

  /** Undefined where it is not there; a damaged one is set aside. Throws what the disk says. */
  open(day: string): DayDatabase | undefined {
    const known = this.loaded.get(day);
    if (known) return this.use(known);
    const file = this.fileOf(day);
    try {
      const image = readDatabaseFile(file);
      return image && this.use(new DayDatabase(this.sqlite, day, this.logOf(day), image));
    } catch (error) {
      if (!(error instanceof DamagedFile)) throw error;
      this.setAside(day, error.message);
      return undefined;
    }
  }

  /** As `open`, and made where it is not there. */
  openOrCreate(day: string): DayDatabase {
    return this.open(day) ?? this.use(new DayDatabase(this.sqlite, day, this.logOf(day)));
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
    const { changes } = day;
    await writeDatabaseFile(this.fileOf(day.day), day.export());
    day.savedChanges = changes;
  }

  /** With its outputs. */
  async remove(day: string): Promise<void> {
    this.forget(day);
    await rm(this.fileOf(day), { force: true });
    await rm(this.logOf(day), { force: true });
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
    if (statSync(this.logOf(day), { throwIfNoEntry: false })) setAside(this.logOf(day));
    this.damaged({ day, message: `${file} is damaged (${why}) and was set aside as ${aside}` });
  }

  private fileOf(day: string): string {
    return join(this.folder, `${day}.db`);
  }

  private logOf(day: string): string {
    return join(this.folder, `${day}.outputs`);
  }
}
