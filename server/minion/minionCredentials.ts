import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../common/atomicFile";
import { FuncError, messageOf } from "../common/errors";
import { identityOf, keyFingerprint } from "../pki/identity";
import { generateKey } from "../pki/keyFiles";

/** PEM texts. */
export interface MinionCredentials {
  key: string;
  certificate: string;
  ca: string;
  /** The name in the certificate. */
  name: string;
}

const KEY_FILE = "minion.key";
const CERTIFICATE_FILE = "minion.crt";
const CA_FILE = "ca.crt";

/** The private key of this minion, which never leaves the host; made where there is none. */
export async function openPrivateKey(pkiFolder: string): Promise<string> {
  const file = join(pkiFolder, KEY_FILE);
  const existing = await readText(file);
  if (existing !== undefined) return existing;
  const { privateKeyPem } = await generateKey();
  await writeFileAtomic(file, privateKeyPem, 0o600);
  return privateKeyPem;
}

/** Keeps what the enrolment answered. The certificate goes last: it marks the enrolment as done. */
export async function saveCredentials(
  pkiFolder: string,
  { ca, certificate }: Pick<MinionCredentials, "ca" | "certificate">,
): Promise<void> {
  await writeFileAtomic(join(pkiFolder, CA_FILE), ca, 0o644);
  await writeFileAtomic(join(pkiFolder, CERTIFICATE_FILE), certificate, 0o644);
}

/**
 * The credentials of an enrolled minion; undefined where it has none yet.
 * Throws FuncError "bad-data" where the files do not go together.
 */
export async function readCredentials(pkiFolder: string): Promise<MinionCredentials | undefined> {
  const certificate = await readText(join(pkiFolder, CERTIFICATE_FILE));
  if (certificate === undefined) return undefined;
  const key = await readText(join(pkiFolder, KEY_FILE));
  const ca = await readText(join(pkiFolder, CA_FILE));
  if (key === undefined || ca === undefined) {
    throw broken(pkiFolder, `${key === undefined ? KEY_FILE : CA_FILE} is missing`);
  }
  let identity;
  let ownKey;
  try {
    identity = identityOf(new X509Certificate(certificate));
    ownKey = keyFingerprint(createPublicKey(createPrivateKey(key)));
  } catch (error) {
    throw broken(pkiFolder, messageOf(error));
  }
  if (identity?.role !== "minion") throw broken(pkiFolder, `${CERTIFICATE_FILE} is no minion's`);
  if (identity.keyFingerprint !== ownKey) {
    throw broken(pkiFolder, `${CERTIFICATE_FILE} belongs to another key than ${KEY_FILE}`);
  }
  return { key, certificate, ca, name: identity.name };
}

function broken(pkiFolder: string, what: string): FuncError {
  return new FuncError(
    "bad-data",
    `the credentials in ${pkiFolder} cannot be used: ${what}`,
    "Move that folder away and enrol this minion again with a new token.",
  );
}

async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new FuncError("bad-data", `${file} cannot be read: ${messageOf(error)}`);
  }
}
