import { createPublicKey, X509Certificate, type KeyObject } from "node:crypto";
import { chmod, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../../common/atomicFile";
import { FuncError, messageOf } from "../../common/errors";
import { writeFileIfMissing } from "../../common/exclusiveFile";
import { makeFolders } from "../../common/makeFolders";
import {
  certificateFingerprint,
  certificatePem,
  keyIdentifier,
  signCertificate,
} from "../certificates/certificate";
import { distinguishedName } from "../certificates/distinguishedName";
import { encryptKey } from "../certificates/encryptedKey";
import { authorityExtensions } from "../certificates/extensions";
import { keyFingerprint } from "../certificates/identity";
import { generateKey, readKeyFile, readPkiFile, workingKey } from "../certificates/keyFiles";
import {
  NO_REVOCATIONS,
  readRevoked,
  revokedMissing,
  revokedPath,
  type Revocations,
} from "../revocation/revokedFile";
import { AuthorityKey } from "./authorityKey";
import { formatIssued, readIssued, type IssuedCertificate } from "./issuedFile";
import {
  nextFolder,
  readRotation,
  rotationUnusable,
  writeRotation,
  type RotationState,
} from "./rotationFile";

const DAY_MS = 24 * 60 * 60 * 1000;
const AUTHORITY_DAYS = 3652;
const FROM_BACKUP = "Restore it from a backup; without it the whole fleet has to be enrolled anew.";
/** A certificate begins a little earlier, for hosts whose clock is behind. */
export const CLOCK_SKEW_MS = 5 * 60 * 1000;

/** A CA's certificate and the key that signs in its name. */
export interface Signer {
  key: AuthorityKey;
  certificate: X509Certificate;
}

/** What the folder of a certificate authority holds. */
export interface AuthorityFiles extends Signer {
  /** The CA that takes its place, while that goes on. */
  next?: Signer;
  /** Undefined before the first rotation. */
  rotation?: RotationState;
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
  const rotation = await readFinishedRotation(folder);
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
  const signer = signerOf({ keyFile, certificateFile }, { keyPem, certificatePem });
  if (rotation?.phase !== undefined) {
    const next = await readNext(folder);
    return { ...signer, next, rotation, issued, revocations: revocations ?? NO_REVOCATIONS };
  }
  await refuseLostRotation(folder, issued);
  return { ...signer, rotation, issued, revocations: revocations ?? NO_REVOCATIONS };
}

/**
 * Makes a CA that is to take the place of the one in `folder`, in `<folder>/next`; anything there is from a start
 * that came to nothing. With a passphrase, its key is encrypted.
 */
export async function createNextAuthority(
  folder: string,
  name: string,
  passphrase: string | undefined,
): Promise<Signer> {
  const next = nextFolder(folder);
  await rm(next, { recursive: true, force: true });
  const files = authorityPaths(next);
  const { privateKeyPem } = await generateKey();
  const key = workingKey(privateKeyPem);
  const keyPem =
    passphrase === undefined ? privateKeyPem : await encryptKey(key, passphrase.normalize("NFC"));
  await writeFileAtomic(files.key, keyPem);
  // another name than the one of before: tools look for a CA by its name
  const mark = keyFingerprint(key).slice(0, 8);
  await writeFileAtomic(files.certificate, certificatePem(selfSigned(`${name} ${mark}`, key)));
  const signer = await readNext(folder);
  if (passphrase !== undefined) await signer.key.unlock(passphrase);
  return signer;
}

async function readNext(folder: string): Promise<Signer> {
  const { key: keyFile, certificate: certificateFile } = authorityPaths(nextFolder(folder));
  const certificatePem = await readPkiFile(certificateFile, FROM_BACKUP);
  const keyPem = await readKeyFile(keyFile, FROM_BACKUP);
  if (certificatePem === undefined) throw missing(certificateFile);
  if (keyPem === undefined) throw missing(keyFile);
  return signerOf({ keyFile, certificateFile }, { keyPem, certificatePem });
}

/** The state of the rotation. Where the new CA has taken the place of the old one, what was left of that is done. */
async function readFinishedRotation(folder: string): Promise<RotationState | undefined> {
  const rotation = await readRotation(folder);
  return rotation?.phase === "finishing" ? await replaceByNext(folder, rotation) : rotation;
}

/** Puts the new CA's files in the place of the old one's, which are gone then. Can be done again at any point. */
export async function replaceByNext(folder: string, state: RotationState): Promise<RotationState> {
  const files = authorityPaths(folder);
  const next = authorityPaths(nextFolder(folder));
  const certificate = await readPkiFile(next.certificate, FROM_BACKUP);
  const key = await readKeyFile(next.key, FROM_BACKUP);
  if (certificate !== undefined) {
    const isDone = certificate === (await readPkiFile(files.certificate, FROM_BACKUP));
    if (key === undefined && !isDone) throw missing(next.key);
    if (key !== undefined) await writeFileAtomic(files.key, key);
    await writeFileAtomic(files.certificate, certificate);
  }
  await rm(next.certificate, { force: true });
  await rm(nextFolder(folder), { recursive: true, force: true });
  const { number, document } = state;
  await writeRotation(folder, { number, document });
  return { number, document };
}

/** A new CA that has issued certificates, and nothing that says what it is. */
async function refuseLostRotation(folder: string, issued: IssuedCertificate[]): Promise<void> {
  const { certificate: file } = authorityPaths(nextFolder(folder));
  const pem = await readPkiFile(file, FROM_BACKUP).catch(() => undefined);
  if (pem === undefined) return;
  const fingerprint = parsed(file, () => certificateFingerprint(new X509Certificate(pem)));
  if (issued.some(({ issuer }) => issuer === fingerprint)) {
    throw rotationUnusable(folder, "is missing");
  }
}

function signerOf(
  { keyFile, certificateFile }: { keyFile: string; certificateFile: string },
  { keyPem, certificatePem }: { keyPem: string; certificatePem: string },
): Signer {
  const certificate = parsed(certificateFile, () => {
    const read = new X509Certificate(certificatePem);
    if (!read.ca || !read.verify(read.publicKey)) throw new Error("it is no CA's certificate");
    return read;
  });
  const { publicKey } = certificate;
  const key = parsed(keyFile, () => new AuthorityKey(keyFile, keyPem, publicKey));
  return { key, certificate };
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
