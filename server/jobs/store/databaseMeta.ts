import type { SqlJsStatic } from "sql.js";
import { Database } from "./database";
import { DamagedFile } from "./databaseFile";
import { SCHEMA_VERSION } from "./schema";

/** A database with its tables: of `image`, or new. Throws DamagedFile for one that is none, or of another version. */
export function openDatabase(
  sqlite: SqlJsStatic,
  schema: string,
  cacheKib: number,
  image: Uint8Array | undefined,
): Database {
  if (!image) {
    const database = new Database(sqlite, cacheKib);
    database.script(schema);
    setMeta(database, "version", SCHEMA_VERSION);
    return database;
  }
  const database = new Database(sqlite, cacheKib, image);
  const version = metaOf(database, "version");
  if (version === SCHEMA_VERSION) return database;
  database.close();
  throw new DamagedFile(`it has version ${version}, this is ${SCHEMA_VERSION}`);
}

/** 0 where it was never set. */
export function metaOf(database: Database, name: string): number {
  return database.number("SELECT value FROM meta WHERE name = ?", [name]);
}

export function setMeta(database: Database, name: string, value: number): void {
  database.run("INSERT OR REPLACE INTO meta VALUES (?, ?)", [name, value]);
}
