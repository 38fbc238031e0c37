import { FuncError } from "../../common/errors";
import { parseMinionName } from "../../common/minionName";
import type { CertificateRecord, SignedCertificate } from "../../protocol/certmaster";
import { readCsr } from "../certificates/csr";
import { keyFingerprint } from "../certificates/identity";
import type { CertificateAuthority } from "./certificateAuthority";

export interface SigningParams {
  /** PEM of a PKCS#10 request. Its name and key count, its role must be the one that is asked for here. */
  csr: string;
  role: "minion" | "operator";
  /** Who the certificate is for; the name in the request must be this one where it is given. */
  name?: string;
  days?: number;
  /** The name may have a live certificate with another key: that one is revoked then. */
  replace?: boolean;
}

/** Names that are being signed for, of each authority: a name is judged and given out in one go. */
const inWork = new WeakMap<CertificateAuthority, Map<string, Promise<unknown>>>();

/**
 * Signs a certificate request, the one way in which a name is given to a key. A name with a live certificate
 * goes to the same key again, and to another one only with `replace`. Throws FuncError "bad-data" (the
 * request), "bad-argument" (name, days), "conflict" (the name is taken), "denied" (the key was revoked).
 */
export async function signRequest(
  authority: CertificateAuthority,
  params: SigningParams,
): Promise<SignedCertificate> {
  const { role, replace = false, days } = params;
  const { name, publicKey } = readCsr(params.csr, role);
  const wanted = params.name === undefined ? name : parseMinionName(params.name);
  if (name !== wanted) {
    throw new FuncError(
      "bad-argument",
      `The certificate request is for ${name}, not for ${wanted}.`,
      `Sign it as ${name}, or make the request anew for ${wanted}.`,
    );
  }
  return alone(authority, `${role}:${name}`, async () => {
    const fingerprint = keyFingerprint(publicKey);
    const isOther = (record: CertificateRecord): boolean => record.keyFingerprint !== fingerprint;
    const live = liveOf(authority, role, name);
    const holder = role === "minion" ? authority.liveMinion(name) : live.at(-1);
    const taken = holder !== undefined && isOther(holder);
    if (taken && !replace) throw takenBy(holder);
    const issued = await authority.issue({ role, name, publicKey, days });
    if (taken) await revokeReplaced(authority, live.filter(isOther), issued.record);
    return {
      certificate: issued.certificatePem,
      ca: authority.rotation.trustedPem,
      record: issued.record,
    };
  });
}

/** Once the new certificate exists; where this fails, the new one is not given out. */
async function revokeReplaced(
  authority: CertificateAuthority,
  replaced: readonly CertificateRecord[],
  next: CertificateRecord,
): Promise<void> {
  const serials = replaced.map(({ serial }) => serial);
  try {
    await authority.revoke({ serials, reason: "replaced by another key" });
  } catch (error) {
    await authority.withdraw(next);
    throw error;
  }
}

function liveOf(
  authority: CertificateAuthority,
  role: SigningParams["role"],
  name: string,
): CertificateRecord[] {
  const now = Date.now();
  return authority
    .list()
    .filter(
      (record) =>
        record.role === role &&
        record.name === name &&
        record.notAfterMs > now &&
        record.revoked === undefined,
    );
}

function takenBy({ role, name, notAfterMs }: CertificateRecord): FuncError {
  const until = new Date(notAfterMs).toISOString().slice(0, 10);
  const instead = role === "minion" ? "join under another name (--name)" : "choose another name";
  return new FuncError(
    "conflict",
    `There is already ${role === "minion" ? "a minion" : "an operator"} ${name}, with another key and a certificate until ${until}.`,
    `If this one replaces it, say so (--replace), which revokes the old certificate; otherwise ${instead}.`,
  );
}

/** Two requests for one name at the same time: the second one finds what the first one was given. */
async function alone<T>(
  authority: CertificateAuthority,
  subject: string,
  task: () => Promise<T>,
): Promise<T> {
  const works = inWork.get(authority) ?? new Map<string, Promise<unknown>>();
  inWork.set(authority, works);
  const result = (works.get(subject) ?? Promise.resolve()).then(task);
  const ended = result.catch(() => undefined);
  works.set(subject, ended);
  try {
    return await result;
  } finally {
    if (works.get(subject) === ended) works.delete(subject);
  }
}
