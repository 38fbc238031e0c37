import { rmSync } from "node:fs";
import type { Database } from "./database";
import { OutputLog, type LogPlace } from "./outputLog";

/** An output that some result refers to. */
export interface LiveOutput {
  hash: Uint8Array;
  place: LogPlace;
}

/** True where most of the database is room that deleted jobs left. */
export function isMostlyFree(database: Database): boolean {
  const free = database.number("PRAGMA freelist_count");
  return free > 256 && free > database.number("PRAGMA page_count") / 2;
}

/** In the order of the log. */
export function liveOutputs(database: Database): LiveOutput[] {
  const rows = database.all(
    "SELECT hash, offset, length FROM outputs WHERE hash IN " +
      "(SELECT hash FROM results WHERE hash IS NOT NULL) ORDER BY offset",
  );
  return rows.flatMap(([hash, offset, length]) =>
    hash instanceof Uint8Array
      ? [{ hash, place: { offset: Number(offset), length: Number(length) } }]
      : [],
  );
}

/** Copies these outputs, whose places change with it. Undefined where the disk does not take them. */
export function copyLog(
  log: OutputLog,
  file: string,
  outputs: LiveOutput[],
): OutputLog | undefined {
  rmSync(file, { force: true });
  const copy = new OutputLog(file, 0);
  try {
    const places = outputs.map(({ hash, place }) => copy.append(log.read(place, hash)));
    copy.sync();
    for (const [at, output] of outputs.entries()) output.place = places[at] ?? output.place;
    return copy;
  } catch {
    // also where one of them is damaged: the present log has the others
    copy.close();
    rmSync(file, { force: true });
    return undefined;
  }
}

/** In a transaction. */
export function replaceOutputs(database: Database, outputs: readonly LiveOutput[]): void {
  database.run("DELETE FROM outputs");
  for (const { hash, place } of outputs) {
    database.run("INSERT INTO outputs VALUES (?, ?, ?)", [hash, place.offset, place.length]);
  }
}
