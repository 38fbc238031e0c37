import { X509Certificate } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../../common/atomicFile";
import { messageOf } from "../../common/errors";
import { parseMinionName } from "../../common/minionName";
import { certificatePem } from "../certificates/certificate";
import { identityOf } from "../certificates/identity";
import { generateKey, readKeyFile, workingKey } from "../certificates/keyFiles";
import { fromPem } from "../certificates/pem";
import type { CertificateAuthority } from "./certificateAuthority";

/** Renewed when this part of its life is over. */
const RENEW_AFTER = 2 / 3;

export interface Credentials {
  /** PEM, as `certificate` and `ca`. */
  key: string;
  certificate: string;
  ca: string;
  /** Why a certificate that is due, but still good, was not replaced. */
  problem?: string;
}

/**
 * The overlord's own client certificate and key, kept together in `<folder>/overlord.pem` (mode 0600, replaced
 * as a whole, so that the two always belong together). Makes a new pair where there is none, where it is
 * damaged, revoked or about to be (`leaving`: fingerprints of keys), of another CA or name, or where 2/3 of its
 * life are over: call it again from time to time. While no other can be issued, one that is still good stays.
 * Throws FuncError where the file cannot be read or written, or is open to others.
 */
export async function openOverlordCredentials(
  folder: string,
  authority: CertificateAuthority,
  name: string,
  leaving?: ReadonlySet<string>,
): Promise<Credentials> {
  const file = join(folder, "overlord.pem");
  const { isOwnNext } = authority.rotation;
  return await openPair({ file, authority, name, leaving, by: isOwnNext ? "next" : "present" });
}

/**
 * While the CA is replaced, and the overlord shows a certificate of the new one: another one of the old, in
 * `<folder>/overlord-former.pem`, for minions that do not know the new one yet. As `openOverlordCredentials`;
 * undefined, and the file removed, where none is needed.
 */
export async function openFormerCredentials(
  folder: string,
  authority: CertificateAuthority,
  name: string,
  leaving?: ReadonlySet<string>,
): Promise<Credentials | undefined> {
  const file = join(folder, "overlord-former.pem");
  if (authority.rotation.isOwnNext) {
    return await openPair({ file, authority, name, leaving, by: "present" });
  }
  await rm(file, { force: true });
  return undefined;
}

/** What is in `overlord.pem` is what `openFormerCredentials` gives from now on. */
export async function keepAsFormer(folder: string): Promise<void> {
  const file = join(folder, "overlord.pem");
  const pem = await readKeyFile(file, `Remove ${file}: the overlord makes it anew.`);
  if (pem !== undefined) await writeFileAtomic(join(folder, "overlord-former.pem"), pem);
}

interface PairParams {
  file: string;
  authority: CertificateAuthority;
  name: string;
  leaving?: ReadonlySet<string>;
  by: "present" | "next";
}

async function openPair(params: PairParams): Promise<Credentials> {
  const { file, authority, name, by } = params;
  const ca = authority.rotation.trustedPem;
  const pem = await readKeyFile(file, `Remove ${file}: the overlord makes it anew.`);
  const kept = usable(pem, params);
  if (kept?.isDue === false) return { ...kept.pair, ca };
  try {
    const { privateKeyPem, publicKey } = await generateKey();
    const issued = await authority.issue({ role: "overlord", name, publicKey, by });
    await writeFileAtomic(file, privateKeyPem + issued.certificatePem);
    return { key: privateKeyPem, certificate: issued.certificatePem, ca };
  } catch (error) {
    if (kept === undefined) throw error;
    return { ...kept.pair, ca, problem: messageOf(error) };
  }
}

function usable(
  pem: string | undefined,
  { authority: issuer, name, leaving, by }: PairParams,
): { pair: { key: string; certificate: string }; isDue: boolean } | undefined {
  const { present, next } = issuer.rotation;
  const authority = (by === "next" && next ? next : present).certificate;
  const der = fromPem(["CERTIFICATE"], pem ?? "");
  if (pem === undefined || der === undefined) return undefined;
  try {
    const key = workingKey(pem);
    const certificate = new X509Certificate(der);
    const identity = identityOf(certificate);
    const startMs = Date.parse(certificate.validFrom);
    const lifeMs = Date.parse(certificate.validTo) - startMs;
    const good =
      identity?.role === "overlord" &&
      identity.name === parseMinionName(name) &&
      issuer.revocationOf(identity.keyFingerprint) === undefined &&
      leaving?.has(identity.keyFingerprint) !== true &&
      certificate.checkPrivateKey(key) &&
      certificate.verify(authority.publicKey) &&
      Date.now() < startMs + lifeMs;
    if (!good) return undefined;
    return {
      pair: {
        key: key.export({ type: "pkcs8", format: "pem" }).toString(),
        certificate: certificatePem(certificate),
      },
      isDue: Date.now() >= startMs + lifeMs * RENEW_AFTER,
    };
  } catch {
    return undefined; // damaged: a new pair costs nothing
  }
}
