import { readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/**
 * Removes what processes before this one have begun to write in place of the file and were killed over
 * (writeFileAtomic). Nobody else may be writing it. Never throws: what stays does no harm.
 */
export async function removeHalfWritten(file: string): Promise<void> {
  const folder = dirname(file);
  const start = `.${basename(file)}.`;
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    if (!name.startsWith(start) || !/^[0-9a-f]{12}\.tmp$/.test(name.slice(start.length))) continue;
    const temporary = join(folder, name);
    const found = await stat(temporary).catch(() => undefined);
    // a later one may be this process's own, which is being written
    if (!found || found.mtimeMs >= performance.timeOrigin) continue;
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}
