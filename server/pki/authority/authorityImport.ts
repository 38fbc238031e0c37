import { createPublicKey, X509Certificate, type KeyObject } from "node:crypto";
import { chmod, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { syncFolder, writeFileAtomic } from "../../common/atomicFile";
import { FuncError, messageOf } from "../../common/errors";
import { makeFolders } from "../../common/makeFolders";
import {
  authorityKeyIdentifierOf,
  certificatePem,
  signCertificate,
  subjectOf,
} from "../certificates/certificate";
import { distinguishedName } from "../certificates/distinguishedName";
import { decryptKey, encryptKey, isEncryptedKey } from "../certificates/encryptedKey";
import { leafExtensions } from "../certificates/extensions";
import { KEY_USAGE_OF } from "../certificates/identity";
import { readKeyFile, readPkiFile, workingKey } from "../certificates/keyFiles";
import { authorityPaths } from "./authorityFiles";
import { formatIssued } from "./issuedFile";

const MAX_FILE_BYTES = 65_536;
const LEAST_RSA_BITS = 2_048;
const CURVES: Readonly<Record<string, string>> = { prime256v1: "P-256", secp384r1: "P-384" };
const GIVE_OTHER = "Give the CA's certificate and its private key, both as PEM files.";
const NEW_CA = "Let the overlord make a CA of its own, and enrol the hosts with it.";

export interface AuthorityImport {
  /** PEM files. */
  certificateFile: string;
  keyFile: string;
  /** Where the key is encrypted. */
  passphrase?: string;
}

/**
 * Makes an existing CA the one in `folder`, which must not exist yet, or be empty: all of it appears at once, and
 * is durable when this returns. A key that was encrypted stays so, under the same passphrase. Throws FuncError:
 * "not-found" and "bad-data" (the files), "bad-argument" (no CA that can be used), "denied" (the passphrase),
 * "conflict" where there is something in the folder.
 */
export async function importAuthorityFiles(folder: string, given: AuthorityImport): Promise<void> {
  const certificate = await readCertificate(given.certificateFile);
  checkCertificate(certificate, given.certificateFile);
  const key = await readKey(given);
  checkKey(certificate, key, given);
  const { passphrase } = given;
  const keyPem =
    passphrase === undefined
      ? key.export({ type: "pkcs8", format: "pem" }).toString()
      : await encryptKey(key, passphrase.normalize("NFC"));

  const staging = `${folder}.importing`;
  await rm(staging, { recursive: true, force: true }); // of an import that was interrupted
  try {
    await makeFolders(staging);
    await chmod(staging, 0o700);
    const files = authorityPaths(staging);
    await writeFileAtomic(files.key, keyPem);
    await writeFileAtomic(files.issued, formatIssued([]));
    await writeFileAtomic(files.certificate, certificatePem(certificate));
    await rename(staging, folder).catch((error: unknown) => {
      throw taken(folder, error);
    });
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  await syncFolder(dirname(folder));
}

async function readCertificate(file: string): Promise<X509Certificate> {
  await refuseLarge(file);
  const pem = await readPkiFile(file, GIVE_OTHER);
  if (pem === undefined) throw new FuncError("not-found", `There is no ${file}.`, GIVE_OTHER);
  if (pem.split("-----BEGIN CERTIFICATE-----").length > 2) {
    throw unfit(`${file} holds several certificates.`, "Give a file with the CA's alone.");
  }
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw damaged(`${file} holds no certificate in PEM: ${messageOf(error)}.`, error);
  }
}

function checkCertificate(certificate: X509Certificate, file: string): void {
  const { ca, publicKey, validFrom, validTo } = certificate;
  if (!ca) {
    throw unfit(
      `The certificate in ${file} is not one of a CA: it lacks CA:TRUE, or its key usage does not let it sign.`,
      GIVE_OTHER,
    );
  }
  if (!certificate.checkIssued(certificate) || !certificate.verify(publicKey)) {
    throw unfit(
      `The CA in ${file} did not sign itself: it belongs below another CA, or its signature is damaged.`,
      NEW_CA,
    );
  }
  const now = Date.now();
  if (Date.parse(validTo) <= now) {
    throw unfit(`The CA in ${file} expired on ${validTo}: nobody trusts it any more.`, NEW_CA);
  }
  if (Date.parse(validFrom) > now) {
    throw unfit(
      `The CA in ${file} is valid from ${validFrom} on only; here it is ${new Date(now).toISOString()}.`,
      "Look at this machine's clock.",
    );
  }
  const weakness = weaknessOf(publicKey);
  if (weakness !== undefined) {
    throw unfit(`The CA in ${file} cannot be used: ${weakness}.`, NEW_CA);
  }
}

function weaknessOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string | undefined {
  if (asymmetricKeyType === "rsa") {
    const bits = asymmetricKeyDetails?.modulusLength ?? 0;
    return bits < LEAST_RSA_BITS
      ? `its RSA key has ${bits} bits, and current TLS refuses less than ${LEAST_RSA_BITS}`
      : undefined;
  }
  if (asymmetricKeyType === "ec") {
    const curve = asymmetricKeyDetails?.namedCurve ?? "unknown";
    return curve in CURVES
      ? undefined
      : `its key is on the curve ${curve}, while ${Object.values(CURVES).join(" and ")} are supported`;
  }
  return `its key is of the type ${asymmetricKeyType ?? "unknown"}, while RSA and EC are supported`;
}

async function readKey({ keyFile, passphrase }: AuthorityImport): Promise<KeyObject> {
  await refuseLarge(keyFile);
  const pem = await readKeyFile(keyFile, GIVE_OTHER);
  if (pem === undefined) throw new FuncError("not-found", `There is no ${keyFile}.`, GIVE_OTHER);
  if (!isEncryptedKey(pem)) {
    if (passphrase !== undefined) {
      throw unfit(`The key in ${keyFile} is not encrypted.`, "Import it without a passphrase.");
    }
    return damagedUnless(keyFile, () => workingKey(pem));
  }
  if (passphrase === undefined) {
    throw new FuncError("denied", `The key in ${keyFile} is encrypted: it takes its passphrase.`);
  }
  const key = await decryptedKey(pem, passphrase).catch((error: unknown) => {
    throw new FuncError(
      "denied",
      `The passphrase is wrong, or ${keyFile} is damaged.`,
      "Give the passphrase of the key.",
      { cause: error },
    );
  });
  return damagedUnless(keyFile, () =>
    workingKey(key.export({ type: "pkcs8", format: "pem" }).toString()),
  );
}

/** Ours are under the normal form of the passphrase, others under what was typed. */
async function decryptedKey(pem: string, passphrase: string): Promise<KeyObject> {
  const normal = passphrase.normalize("NFC");
  return decryptKey(pem, normal).catch((error: unknown) => {
    if (normal === passphrase) throw error;
    return decryptKey(pem, passphrase);
  });
}

function checkKey(certificate: X509Certificate, key: KeyObject, given: AuthorityImport): void {
  if (!createPublicKey(key).equals(certificate.publicKey)) {
    throw unfit(
      `The key in ${given.keyFile} does not belong to the certificate in ${given.certificateFile}.`,
      GIVE_OTHER,
    );
  }
  const probe = damagedUnless(given.certificateFile, () => probeOf(certificate, key));
  if (probe.checkIssued(certificate) && probe.verify(certificate.publicKey)) return;
  throw unfit(
    `The CA in ${given.certificateFile} cannot be used: OpenSSL does not take what it signs for its own.`,
    NEW_CA,
  );
}

/** A certificate as it would be issued; it goes nowhere. */
function probeOf(authority: X509Certificate, key: KeyObject): X509Certificate {
  const { publicKey } = authority;
  const keyIdentifier = authorityKeyIdentifierOf(authority);
  return signCertificate(
    {
      issuer: subjectOf(authority),
      subject: distinguishedName("probe"),
      publicKey,
      notBeforeMs: Date.now(),
      notAfterMs: Date.now() + 1_000,
      extensions: leafExtensions({
        extendedKeyUsage: KEY_USAGE_OF.minion,
        uri: "func:probe",
        keyIdentifier,
        issuerKeyIdentifier: keyIdentifier,
      }),
    },
    key,
  );
}

async function refuseLarge(file: string): Promise<void> {
  const { size } = await stat(file).catch(() => ({ size: 0 })); // reading it tells what is wrong
  if (size > MAX_FILE_BYTES) {
    throw damaged(`${file} has ${size} bytes: it is no PEM file of a CA.`);
  }
}

function damagedUnless<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw damaged(`${file} cannot be used: ${messageOf(error)}.`, error);
  }
}

function damaged(message: string, cause?: unknown): FuncError {
  return new FuncError("bad-data", message, GIVE_OTHER, { cause });
}

function unfit(message: string, nextStep: string): FuncError {
  return new FuncError("bad-argument", message, nextStep);
}

function taken(folder: string, cause: unknown): FuncError {
  return new FuncError(
    "conflict",
    `The CA cannot be put into ${folder}: ${messageOf(cause)}.`,
    `Where that folder holds the beginnings of a CA that was never used, move it away: mv ${folder} ${folder}.unused`,
    { cause },
  );
}
