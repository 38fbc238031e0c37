import { createInterface } from "node:readline";
import initSqlJs from "sql.js";
import { Database, loadSqlite, textBytes } from "../../server/jobs/store/database";
import { workerReady } from "./worker";

export interface SqlOptions {
  /** "plain" is sql.js as its documentation shows it. */
  library: "ours" | "plain";
  wasmFile: string;
}

const CREATE =
  "CREATE TABLE results (id INTEGER PRIMARY KEY, job INTEGER, minion TEXT, value TEXT)";
const CLEAR = "DELETE FROM results";
const ROWS_AT_ONCE = 100;
const VALUE = JSON.stringify([0, "a line of output\n".repeat(120), ""]);

/** Inserts as many rows of 2 KB as a line says, a hundred in a transaction; answers with the CPU time in ms. */
export async function sqlWorker({ library, wasmFile }: SqlOptions): Promise<void> {
  const { insert, clear } = library === "ours" ? await ours(wasmFile) : await plain(wasmFile);
  workerReady({});
  for await (const line of createInterface({ input: process.stdin })) {
    const { rows } = JSON.parse(line) as { rows: number };
    const start = process.cpuUsage();
    insert(rows);
    const { user, system } = process.cpuUsage(start);
    clear();
    process.stdout.write(`${(user + system) / 1_000}\n`);
  }
}

interface Table {
  insert: (rows: number) => void;
  clear: () => void;
}

async function ours(wasmFile: string): Promise<Table> {
  const database = new Database(await loadSqlite(wasmFile), 8_192);
  database.script(CREATE);
  const insert =
    "INSERT INTO results (job, minion, value) VALUES (?, CAST(? AS TEXT), CAST(? AS TEXT))";
  const clear = (): void => {
    database.run(CLEAR);
  };
  const insertRows = (rows: number): void => {
    for (let row = 0; row < rows; row++) {
      if (row % ROWS_AT_ONCE === 0) database.run("BEGIN");
      database.run(insert, [row, textBytes(`minion${row}.example.org`), textBytes(VALUE)]);
      if (row % ROWS_AT_ONCE === ROWS_AT_ONCE - 1) database.run("COMMIT");
    }
  };
  return { insert: insertRows, clear };
}

async function plain(wasmFile: string): Promise<Table> {
  const sqlite = await initSqlJs({ locateFile: () => wasmFile });
  const database = new sqlite.Database();
  database.run(CREATE);
  const insert = database.prepare("INSERT INTO results (job, minion, value) VALUES (?, ?, ?)");
  const clear = (): void => void database.run(CLEAR);
  const insertRows = (rows: number): void => {
    for (let row = 0; row < rows; row++) {
      if (row % ROWS_AT_ONCE === 0) database.run("BEGIN");
      insert.run([row, `minion${row}.example.org`, VALUE]);
      if (row % ROWS_AT_ONCE === ROWS_AT_ONCE - 1) database.run("COMMIT");
    }
  };
  return { insert: insertRows, clear };
}
