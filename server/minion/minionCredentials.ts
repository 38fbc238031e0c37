import { createPublicKey, X509Certificate } from "node:crypto";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../common/atomicFile";
import { FuncError, messageOf } from "../common/errors";
import { silentLog, type Log } from "../common/log";
import { readAuthorities } from "../pki/certificates/certificateBundle";
import { identityOf, keyFingerprint, type Identity } from "../pki/certificates/identity";
import { generateKey, readKeyFile, readPkiFile, workingKey } from "../pki/certificates/keyFiles";
import { isIssuedBy } from "../pki/enrolment/renewal";
import type { KeySuccession } from "../protocol/delegation";
import { readKeySuccessions } from "./keySuccessions";

/** PEM texts. */
export interface MinionCredentials {
  key: string;
  certificate: string;
  ca: string;
  /** The name in the certificate. */
  name: string;
  /** Former keys, oldest first, where renewals have replaced them. */
  successions?: readonly KeySuccession[];
}

export const KEY_FILE = "minion.key";
/** The key that the next certificate is for; it becomes `minion.key` with that. */
const NEXT_KEY_FILE = "minion.key.next";
const CERTIFICATE_FILE = "minion.crt";
export const CA_FILE = "ca.crt";
/** Which CAs are trusted, as the overlord says it while one is replaced. */
export const AUTHORITIES_FILE = "authorities.json";

/** The private key of this minion, which never leaves the host; made where there is none. */
export function openPrivateKey(pkiFolder: string): Promise<string> {
  return openKey(pkiFolder, KEY_FILE);
}

/** The key for this minion's next certificate; the same one until `installCertificate`. */
export async function openNextKey(pkiFolder: string): Promise<string> {
  const file = join(pkiFolder, NEXT_KEY_FILE);
  try {
    const key = await readKeyFile(file, remedyOf(pkiFolder));
    if (key !== undefined) workingKey(key);
  } catch {
    // nobody has a certificate for it yet: another one is as good
    await rm(file, { force: true, recursive: true });
  }
  return openKey(pkiFolder, NEXT_KEY_FILE);
}

/** Keeps what the enrolment answered. The certificate goes last: it marks the enrolment as done. */
export async function saveCredentials(
  pkiFolder: string,
  { ca, certificate }: Pick<MinionCredentials, "ca" | "certificate">,
): Promise<void> {
  await rm(join(pkiFolder, AUTHORITIES_FILE), { force: true }); // it may be another fleet's
  await writeFileAtomic(join(pkiFolder, CA_FILE), ca, 0o644);
  await writeFileAtomic(join(pkiFolder, CERTIFICATE_FILE), certificate, 0o644);
}

/**
 * Puts a certificate for the next key in the place of the present one. The certificate's file says which key
 * is meant: where this ends between the two steps, `readCredentials` does the second one.
 */
export async function installCertificate(pkiFolder: string, certificate: string): Promise<void> {
  await writeFileAtomic(join(pkiFolder, CERTIFICATE_FILE), certificate, 0o644);
  await promoteNextKey(pkiFolder);
}

/**
 * The credentials of an enrolled minion; undefined where it has none yet. Throws FuncError "bad-data" where a
 * file is damaged or open to others, or where they do not go together.
 */
export async function readCredentials(
  pkiFolder: string,
  log: Log = silentLog,
): Promise<MinionCredentials | undefined> {
  const remedy = remedyOf(pkiFolder);
  const certificateFile = join(pkiFolder, CERTIFICATE_FILE);
  const certificate = await readPkiFile(certificateFile, remedy);
  if (certificate === undefined) return undefined;
  const ca = await readPkiFile(join(pkiFolder, CA_FILE), remedy);
  if (ca === undefined) throw broken(pkiFolder, `${CA_FILE} is missing`);
  const authorities = parsed(pkiFolder, CA_FILE, () => readAuthorities(ca));
  const read = parsed(pkiFolder, CERTIFICATE_FILE, () => new X509Certificate(certificate));
  const identity = identityOf(read);
  if (identity?.role !== "minion") throw broken(pkiFolder, `${CERTIFICATE_FILE} is no minion's`);
  if (!authorities.some((authority) => isIssuedBy(read, authority))) {
    throw broken(
      pkiFolder,
      `${CERTIFICATE_FILE} is damaged, or does not come from the CA in ${CA_FILE}`,
    );
  }
  const key = await keyOf(pkiFolder, identity);
  const successions = await readKeySuccessions(pkiFolder, key, log);
  const { name } = identity;
  return { key, certificate, ca, name, ...(successions.length > 0 && { successions }) };
}

async function keyOf(pkiFolder: string, identity: Identity): Promise<string> {
  const remedy = remedyOf(pkiFolder);
  const next = await readKeyFile(join(pkiFolder, NEXT_KEY_FILE), remedy).catch(() => undefined);
  if (next !== undefined && fits(next, identity)) {
    await promoteNextKey(pkiFolder);
    return next;
  }
  const key = await readKeyFile(join(pkiFolder, KEY_FILE), remedy);
  if (key === undefined) throw broken(pkiFolder, `${KEY_FILE} is missing`);
  const own = parsed(pkiFolder, KEY_FILE, () => keyFingerprint(createPublicKey(workingKey(key))));
  if (own !== identity.keyFingerprint) {
    throw broken(pkiFolder, `${CERTIFICATE_FILE} belongs to another key than ${KEY_FILE}`);
  }
  return key;
}

async function promoteNextKey(pkiFolder: string): Promise<void> {
  await rename(join(pkiFolder, NEXT_KEY_FILE), join(pkiFolder, KEY_FILE));
}

function fits(key: string, identity: Identity): boolean {
  try {
    return keyFingerprint(createPublicKey(workingKey(key))) === identity.keyFingerprint;
  } catch {
    return false;
  }
}

async function openKey(pkiFolder: string, name: string): Promise<string> {
  const file = join(pkiFolder, name);
  const existing = await readKeyFile(file, remedyOf(pkiFolder));
  if (existing !== undefined) {
    parsed(pkiFolder, name, () => workingKey(existing));
    return existing;
  }
  const { privateKeyPem } = await generateKey();
  await writeFileAtomic(file, privateKeyPem, 0o600);
  return privateKeyPem;
}

function parsed<T>(pkiFolder: string, name: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw broken(pkiFolder, `${name} is damaged (${messageOf(error)})`);
  }
}

function broken(pkiFolder: string, what: string): FuncError {
  return new FuncError(
    "bad-data",
    `the credentials in ${pkiFolder} cannot be used: ${what}`,
    remedyOf(pkiFolder),
  );
}

function remedyOf(pkiFolder: string): string {
  return `Restore ${pkiFolder} from a backup, or move it away and enrol this minion again with a new token.`;
}
