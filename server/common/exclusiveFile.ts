import { randomBytes } from "node:crypto";
import { link, open, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/**
 * Writes a file (mode 0600) unless there is one already: of several writers at the same time exactly one
 * wins, and readers never see a part of it. The folder must exist. Returns whether this call made it.
 */
export async function writeFileIfMissing(file: string, content: string): Promise<boolean> {
  const temporary = join(dirname(file), `.${basename(file)}.${randomBytes(6).toString("hex")}.tmp`);
  const handle = await open(temporary, "wx", 0o600);
  try {
    await handle.writeFile(content);
    await handle.datasync();
  } finally {
    await handle.close();
  }
  try {
    await link(temporary, file);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    // file systems without hard links
    if (code === "EPERM" || code === "ENOSYS" || code === "ENOTSUP") {
      return await writeExclusive(file, content);
    }
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

async function writeExclusive(file: string, content: string): Promise<boolean> {
  try {
    await writeFile(file, content, { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}
