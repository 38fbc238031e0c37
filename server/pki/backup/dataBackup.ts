import { constants } from "node:fs";
import { open, readdir, readFile, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { FuncError, messageOf } from "../../common/errors";
import type { BackupParams, BackupResult } from "../../protocol/overlord";
import { MAX_BACKUP_BYTES, packBackup, type BackedUpFile } from "./backupFile";

/** What belongs to this process, to this machine, or can be had again; and jobs, which change while they are copied. */
const LEFT_OUT =
  /^(?:lock|endpoint|moved\.json|overlord\.log(?:\.\d+)?|spool|service|spool-.*|minions|try|jobs|replaced-.*|.*\.sock)$/;
/** Links may lead in circles. */
const MAX_DEPTH = 16;

/** True for a name in a data directory that belongs into a backup. */
export function isBackedUp(name: string): boolean {
  // with a dot: what is just being written
  return !name.startsWith(".") && !LEFT_OUT.test(name);
}

/**
 * Writes all that makes an overlord what it is (CA, credentials, inventory, groups, configuration, audit trail)
 * into one new file of mode 0600. Throws FuncError "bad-argument", "bad-data" where the CA is not among it,
 * "conflict" where the file exists, "unavailable" where it cannot be written.
 */
export async function backUp(
  dataDirectory: string,
  caFingerprint: string | undefined,
  { file, passphrase }: BackupParams,
  moved = false,
): Promise<BackupResult> {
  if (!isAbsolute(file)) throw new FuncError("bad-argument", `${file} is no absolute path.`);
  const files = await collect(dataDirectory, "", 0);
  const has = (path: string): boolean => files.some((found) => found.path === path);
  if (caFingerprint !== undefined && !(has("ca/ca.key") && has("ca/ca.crt"))) {
    throw new FuncError(
      "bad-data",
      `There is no CA in ${join(dataDirectory, "ca")} to back up, although this overlord has one.`,
      "Look at that folder: a backup without it would be of no use.",
    );
  }
  const facts = {
    createdAtMs: Date.now(),
    host: hostname(),
    caFingerprint,
    ...(moved && { moved }),
  };
  const content = await packBackup(facts, files, passphrase);
  try {
    const handle = await open(file, "wx", 0o600);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    const exists = (error as NodeJS.ErrnoException).code === "EEXIST";
    throw new FuncError(
      exists ? "conflict" : "unavailable",
      exists ? `${file} exists already.` : `${file} cannot be written: ${messageOf(error)}.`,
      exists ? "Choose another name, or move it away." : `Look at ${dirname(file)}.`,
    );
  }
  return { file, bytes: content.length, files: files.length, encrypted: passphrase !== undefined };
}

/** Links are followed: what they lead to is part of the overlord. */
async function collect(root: string, folder: string, depth: number): Promise<BackedUpFile[]> {
  if (depth > MAX_DEPTH) throw damaged(join(root, folder), "folders nest too deep");
  const found: BackedUpFile[] = [];
  const names = (await readdir(join(root, folder))).filter((name) =>
    folder === "" ? isBackedUp(name) : !name.startsWith("."),
  );
  // the note on the audit's end before the audit: what is written meanwhile must not look cut off
  const order = (name: string): string => (name.endsWith(".head") ? ` ${name}` : name);
  for (const name of names.sort((a, b) => (order(a) < order(b) ? -1 : 1))) {
    const path = folder === "" ? name : `${folder}/${name}`;
    const full = join(root, path);
    const status = await stat(full).catch((error: unknown) => {
      throw damaged(full, messageOf(error));
    });
    if (status.isDirectory()) found.push(...(await collect(root, path, depth + 1)));
    if (!status.isFile()) continue;
    if (status.size > MAX_BACKUP_BYTES / 4) {
      throw new FuncError("too-large", `${full} is too large for a backup.`);
    }
    const executable = (status.mode & constants.S_IXUSR) !== 0;
    found.push({ path, content: await readFile(full), ...(executable && { executable }) });
  }
  return found;
}

function damaged(path: string, what: string): FuncError {
  return new FuncError(
    "bad-data",
    `${path} cannot be backed up: ${what}.`,
    "Mend it, or move it out of the data directory.",
  );
}
