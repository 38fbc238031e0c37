import { open, readdir, readFile, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { FuncError, messageOf } from "../common/errors";
import { MAX_BACKUP_BYTES, packBackup, type BackedUpFile } from "../pki/backupFile";
import type { BackupParams, BackupResult } from "../protocol/overlord";

/** What belongs to this process, to this machine, or can be had again. */
const LEFT_OUT =
  /^(?:lock|endpoint|moved\.json|overlord\.log(?:\.\d+)?|service|spool|spool-.*|minions|try|replaced-.*|.*\.sock)$/;

/**
 * Writes all that makes this overlord what it is (CA, credentials, inventory, groups, configuration, audit trail)
 * into one new file of mode 0600. Throws FuncError "bad-argument", "conflict" where the file exists,
 * "unavailable" where it cannot be written.
 */
export async function backUp(
  dataDirectory: string,
  caFingerprint: string | undefined,
  { file, passphrase }: BackupParams,
): Promise<BackupResult> {
  if (!isAbsolute(file)) throw new FuncError("bad-argument", `${file} is no absolute path.`);
  const files = await collect(dataDirectory, "");
  const facts = { createdAtMs: Date.now(), host: hostname(), caFingerprint };
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

async function collect(root: string, folder: string): Promise<BackedUpFile[]> {
  const found: BackedUpFile[] = [];
  const entries = await readdir(join(root, folder), { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    // with a dot: what is just being written
    if (entry.name.startsWith(".") || (folder === "" && LEFT_OUT.test(entry.name))) continue;
    if (entry.isDirectory()) found.push(...(await collect(root, path)));
    if (!entry.isFile()) continue;
    if ((await stat(join(root, path))).size > MAX_BACKUP_BYTES / 4) {
      throw new FuncError("too-large", `${join(root, path)} is too large for a backup.`);
    }
    found.push({ path, content: await readFile(join(root, path)) });
  }
  return found;
}
