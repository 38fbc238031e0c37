import { join } from "node:path";
import type { SqlJsStatic } from "sql.js";
import { syncFolder } from "../../common/atomicFile";
import { DamagedFile, readDatabaseFile, setAside, writeDatabaseFile } from "./databaseFile";
import { JobIndex } from "./jobIndex";

/** Undefined where it is not there; a damaged one is set aside and reported. Throws what the disk says. */
export function readJobIndex(
  sqlite: SqlJsStatic,
  folder: string,
  report: (message: string) => void,
): JobIndex | undefined {
  const file = fileIn(folder);
  try {
    const image = readDatabaseFile(file);
    return image && new JobIndex(sqlite, image);
  } catch (error) {
    if (!(error instanceof DamagedFile)) throw error;
    const aside = setAside(file);
    report(
      `${file} is damaged (${error.message}) and was set aside as ${aside}; it is made again from the days.`,
    );
    return undefined;
  }
}

/**
 * Writes it where it has changed: `checkpoint` is the journal's record up to which all days are in their files.
 * Throws what the disk says.
 */
export async function saveJobIndex(
  index: JobIndex,
  folder: string,
  checkpoint: number,
  last: number,
): Promise<void> {
  if (!index.isDirty && index.checkpointSeq === checkpoint) return;
  index.setSeqs(checkpoint, last);
  const { changes } = index;
  await writeDatabaseFile(fileIn(folder), index.database.export());
  index.savedChanges = changes;
  await syncFolder(folder);
}

function fileIn(folder: string): string {
  return join(folder, "index.db");
}
