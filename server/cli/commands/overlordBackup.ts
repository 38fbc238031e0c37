import { readFile, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { stopOverlord } from "../../client/stopOverlord";
import { writeFileAtomic } from "../../common/atomicFile";
import { FuncError, messageOf } from "../../common/errors";
import { backupFacts, MAX_BACKUP_BYTES, unpackBackup } from "../../pki/backup/backupFile";
import { backUp } from "../../pki/backup/dataBackup";
import type { BackupParams } from "../../protocol/overlord";
import { EXIT_OK } from "../exitStatus";
import { restoreDataDirectory } from "../restoreDataDirectory";
import { askSecret } from "../secretPrompt";
import type { Session } from "../session";

/** Scrypt and a large data directory take their time. */
const TIMEOUT_MS = 300_000;

export interface BackupOptions {
  file: string;
  /** The file then holds the CA's key in the clear. */
  unencrypted: boolean;
  /** The passphrase comes by standard input. */
  stdin: boolean;
}

/** `func overlord backup FILE`. */
export async function overlordBackup(session: Session, options: BackupOptions): Promise<number> {
  const connection = await session.connect();
  const params = await paramsOf(options);
  const { bytes, files, encrypted } = await connection.request("overlord/backup", params, {
    timeoutMs: TIMEOUT_MS,
  });
  if (session.options.json) session.out.result(`${JSON.stringify({ bytes, files, encrypted })}\n`);
  session.out.note(
    `${files} files in ${options.file}${encrypted ? ", encrypted" : ""}. ` +
      (encrypted ? "Without the passphrase it is of no use: keep that elsewhere.\n" : UNENCRYPTED),
  );
  return EXIT_OK;
}

/** `func overlord move FILE`: a backup, after which this data directory starts no overlord any more. */
export async function overlordMove(session: Session, options: BackupOptions): Promise<number> {
  const { dataDirectory } = session.target;
  const connection = await session.connect();
  const { caFingerprint } = await connection.request("certmaster/list", {});
  const params = await paramsOf(options);
  const mark = join(dataDirectory, "moved.json");
  const moved = { movedAt: new Date().toISOString(), to: params.file };
  // first: another client would start the overlord again as soon as it has stopped
  await writeFileAtomic(mark, `${JSON.stringify(moved)}\n`);
  let encrypted: boolean;
  try {
    session.close();
    await stopOverlord(session.target, false);
    // nothing changes any more
    ({ encrypted } = await backUp(dataDirectory, caFingerprint, params, true));
  } catch (error) {
    await rm(mark, { force: true });
    throw error;
  }
  session.out.note(
    `The overlord of ${dataDirectory} has stopped, and starts no more: two with one CA would contradict each other.\n` +
      `Copy ${options.file} to the other machine, and there: func overlord restore ${options.file}\n` +
      (encrypted ? "" : UNENCRYPTED),
  );
  return EXIT_OK;
}

/** `func overlord restore FILE`. */
export async function overlordRestore(
  session: Session,
  { file, stdin, replace }: { file: string; stdin: boolean; replace: boolean },
): Promise<number> {
  const backup = await read(file);
  const { createdAtMs, host, encrypted, moved } = backupFacts(backup);
  const passphrase = encrypted
    ? await askSecret({ what: `Passphrase of ${file}`, fromStdin: stdin })
    : undefined;
  const files = await unpackBackup(backup, passphrase);
  const { dataDirectory } = session.target;
  const restored = await restoreDataDirectory(dataDirectory, files, replace);
  const made = new Date(createdAtMs).toISOString();
  if (restored.replacedTo !== undefined) {
    session.out.note(`What was there is in ${restored.replacedTo} now.\n`);
  }
  session.out.note(
    `${restored.files} files of the backup made on ${host} at ${made} are in ${dataDirectory}.\n` +
      (moved
        ? `The overlord on ${host} starts no more.\n`
        : "Certificates that were issued after that are not known here. " +
          `The overlord on ${host} must not run any more: use "func overlord move" there, or remove its data directory.\n`),
  );
  return EXIT_OK;
}

const UNENCRYPTED =
  "It is not encrypted: whoever reads it can call every method on every minion as root.\n";

async function paramsOf({ file, unencrypted, stdin }: BackupOptions): Promise<BackupParams> {
  const passphrase = unencrypted
    ? undefined
    : await askSecret({ what: "Passphrase of the backup", confirm: true, fromStdin: stdin });
  return { file: resolve(file), ...(passphrase !== undefined && { passphrase }) };
}

async function read(file: string): Promise<Buffer> {
  try {
    const { size } = await stat(file);
    if (size > MAX_BACKUP_BYTES) throw new Error(`${size} bytes are no backup`);
    return await readFile(file);
  } catch (error) {
    throw new FuncError("not-found", `${file} cannot be read: ${messageOf(error)}.`);
  }
}
