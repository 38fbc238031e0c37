import { randomBytes } from "node:crypto";
import { readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** Renames a folder where there is one: that takes no time, whatever it holds. Never throws. */
export async function putAside(folder: string): Promise<void> {
  const aside = join(dirname(folder), `${asidePrefix(folder)}${randomBytes(6).toString("hex")}`);
  await rename(folder, aside).catch(() => undefined);
}

/** Removes all that `putAside` made of a folder, now or in an earlier process. Never throws. */
export async function removeAside(folder: string): Promise<void> {
  const names = await readdir(dirname(folder)).catch(() => []);
  for (const name of names) {
    if (!name.startsWith(asidePrefix(folder))) continue;
    await rm(join(dirname(folder), name), { recursive: true, force: true }).catch(() => undefined);
  }
}

function asidePrefix(folder: string): string {
  return `.${basename(folder)}-`;
}
