import { createPublicKey, X509Certificate, type KeyObject } from "node:crypto";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { FuncError, messageOf } from "../common/errors";
import { makeFolders } from "../common/makeFolders";
import { AuthorityKey } from "./authorityKey";
import { certificatePem, keyIdentifier, signCertificate } from "./certificate";
import { distinguishedName } from "./distinguishedName";
import { writeFileIfMissing } from "./exclusiveFile";
import { authorityExtensions } from "./extensions";
import { formatIssued, readIssued, type IssuedCertificate } from "./issuedFile";
import { generateKey, readKeyFile, readPkiFile, workingKey } from "./keyFiles";
import {
  NO_REVOCATIONS,
  readRevoked,
  revokedMissing,
  revokedPath,
  type Revocations,
} from "./revokedFile";

const DAY_MS = 24 * 60 * 60 * 1000;
const AUTHORITY_DAYS = 3652;
const FROM_BACKUP = "Restore it from a backup; without it the whole fleet has to be enrolled anew.";
/** A certificate begins a little earlier, for hosts whose clock is behind. */
export const CLOCK_SKEW_MS = 5 * 60 * 1000;

/** What the folder of a certificate authority holds. */
export interface AuthorityFiles {
  key: AuthorityKey;
  certificate: X509Certificate;
  issued: IssuedCertificate[];
  revocations: Revocations;
}

/** Where the files of a CA lie in its folder. */
export const authorityPaths = (folder: string) => ({
  key: join(folder, "ca.key"),
  certificate: join(folder, "ca.crt"),
  issued: issuedPath(folder),
});

export function issuedPath(folder: string): string {
  return join(folder, "issued.json");
}

/**
 * Reads a CA's folder. `ca.crt` is written last, so that a folder without it is one whose creation was
 * interrupted (undefined), unless certificates were issued already. Throws FuncError "bad-data" that names
 * the file which is missing or damaged.
 */
export async function readAuthority(folder: string): Promise<AuthorityFiles | undefined> {
  const { key: keyFile, certificate: certificateFile, issued: issuedFile } = authorityPaths(folder);
  const certificatePem = await readPkiFile(certificateFile, FROM_BACKUP);
  const keyPem = await readKeyFile(keyFile, FROM_BACKUP);
  const issued = await readIssued(issuedFile);
  if (certificatePem === undefined) {
    if (issued === undefined || issued.length === 0) return undefined;
    throw missing(certificateFile);
  }
  if (keyPem === undefined) throw missing(keyFile);
  if (issued === undefined) throw missing(issuedFile);
  const revocations = await readRevoked(revokedPath(folder));
  if (revocations === undefined && issued.some(({ revoked }) => revoked !== undefined)) {
    throw revokedMissing(revokedPath(folder));
  }
  const certificate = parsed(certificateFile, () => {
    const read = new X509Certificate(certificatePem);
    if (!read.ca || !read.verify(read.publicKey)) throw new Error("it is no CA's certificate");
    return read;
  });
  const { publicKey } = certificate;
  const key = parsed(keyFile, () => new AuthorityKey(keyFile, keyPem, publicKey));
  return { key, certificate, issued, revocations: revocations ?? NO_REVOCATIONS };
}

/** Completes the folder: of several calls at the same time, also in several processes, one makes each file. */
export async function createAuthorityFiles(folder: string, name: string): Promise<void> {
  const files = authorityPaths(folder);
  await makeFolders(folder);
  await chmod(folder, 0o700);
  await writeFileIfMissing(files.key, (await generateKey()).privateKeyPem);
  await writeFileIfMissing(files.issued, formatIssued([]));
  const keyPem = await readKeyFile(files.key, FROM_BACKUP);
  if (keyPem === undefined) throw missing(files.key);
  const key = parsed(files.key, () => workingKey(keyPem));
  await writeFileIfMissing(files.certificate, certificatePem(selfSigned(name, key)));
}

function selfSigned(name: string, key: KeyObject): X509Certificate {
  const publicKey = createPublicKey(key);
  const subject = distinguishedName(`Func CA ${name}`);
  const notBeforeMs = Date.now() - CLOCK_SKEW_MS;
  return signCertificate(
    {
      issuer: subject,
      subject,
      publicKey,
      notBeforeMs,
      notAfterMs: notBeforeMs + AUTHORITY_DAYS * DAY_MS,
      extensions: authorityExtensions(keyIdentifier(publicKey)),
    },
    key,
  );
}

function parsed<T>(file: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new FuncError("bad-data", `${file} is damaged: ${messageOf(error)}.`, FROM_BACKUP, {
      cause: error,
    });
  }
}

function missing(file: string): FuncError {
  return new FuncError(
    "bad-data",
    `${file} is missing, while certificates of this CA are in use.`,
    FROM_BACKUP,
  );
}
