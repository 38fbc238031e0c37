import { readFileSync } from "node:fs";
import initSqlJs, { type Database as SqlDatabase, type SqlJsStatic, type Statement } from "sql.js";

export type SqlValue = number | string | Uint8Array | null;
export type { SqlJsStatic } from "sql.js";

/** Loads SQLite. */
export function loadSqlite(wasmFile: string): Promise<SqlJsStatic> {
  const { buffer, byteOffset, byteLength } = readFileSync(wasmFile);
  const wasmBinary = buffer.slice(byteOffset, byteOffset + byteLength);
  return initSqlJs({ wasmBinary });
}

/** For `CAST(? AS TEXT)`: sql.js takes bytes several times faster than a string. */
export function textBytes(text: string): Uint8Array {
  return Buffer.from(text);
}

/** An SQLite database in memory. Its methods throw what SQLite says. */
export class Database {
  private readonly db: SqlDatabase;
  private readonly statements = new Map<string, Statement>();

  /** `image` is what `export` gave; it is taken over. */
  constructor(sqlite: SqlJsStatic, cacheKib: number, image?: Uint8Array) {
    this.db = new sqlite.Database(image);
    // the file is in memory: there is nothing to sync, and nobody to share it with
    this.db.run(
      `PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF; PRAGMA cache_size=-${cacheKib};` +
        "PRAGMA locking_mode=EXCLUSIVE; PRAGMA temp_store=MEMORY;",
    );
  }

  /** Several statements without values. */
  script(sql: string): void {
    this.db.run(sql);
  }

  run(sql: string, values: SqlValue[] = []): void {
    this.statement(sql).run(values);
  }

  /** How many rows the last `run` changed. */
  get changed(): number {
    return this.db.getRowsModified();
  }

  first(sql: string, values: SqlValue[] = []): SqlValue[] | undefined {
    const statement = this.statement(sql);
    statement.bind(values);
    const row = statement.step() ? statement.get() : undefined;
    statement.reset();
    return row;
  }

  all(sql: string, values: SqlValue[] = []): SqlValue[][] {
    return [...this.rows(sql, values)];
  }

  /** One row after the other; the same SQL is not to be run meanwhile. */
  *rows(sql: string, values: SqlValue[] = []): Generator<SqlValue[]> {
    const statement = this.statement(sql);
    statement.bind(values);
    try {
      while (statement.step()) yield statement.get();
    } finally {
      statement.reset();
    }
  }

  /** The value in the first row's first column, 0 where there is none. */
  number(sql: string, values: SqlValue[] = []): number {
    return Number(this.first(sql, values)?.[0] ?? 0);
  }

  /** Outside a transaction. */
  export(): Uint8Array {
    return this.db.export();
  }

  close(): void {
    this.statements.clear();
    this.db.close();
  }

  private statement(sql: string): Statement {
    let statement = this.statements.get(sql);
    if (!statement) {
      statement = this.db.prepare(sql);
      this.statements.set(sql, statement);
    }
    return statement;
  }
}
