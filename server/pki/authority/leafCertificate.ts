import type { KeyObject, X509Certificate } from "node:crypto";
import { FuncError } from "../../common/errors";
import { parseMinionName } from "../../common/minionName";
import {
  authorityKeyIdentifierOf,
  keyIdentifier,
  signCertificate,
  subjectOf,
} from "../certificates/certificate";
import { DEFAULT_DAYS, MAX_DAYS } from "../certificates/certificateDays";
import { distinguishedName } from "../certificates/distinguishedName";
import { leafExtensions } from "../certificates/extensions";
import { KEY_USAGE_OF, type CertificateRole } from "../certificates/identity";
import { CLOCK_SKEW_MS, type Signer } from "./authorityFiles";

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * A certificate for whoever has this key, signed by a CA's. Throws FuncError "bad-argument" for a wrong name or
 * too many days, "unavailable" where the CA has expired or is locked.
 */
export function signLeaf(
  subject: { role: CertificateRole; name: string; publicKey: KeyObject; days?: number },
  { key, certificate: authority }: Signer,
): X509Certificate {
  const { role, publicKey, days = DEFAULT_DAYS[role] } = subject;
  const name = parseMinionName(subject.name);
  if (!(days > 0 && days <= MAX_DAYS)) {
    throw new FuncError(
      "bad-argument",
      `A certificate of ${name} can run for up to ${MAX_DAYS} days, not for ${days}.`,
    );
  }
  const now = Date.now();
  const authorityEndMs = Date.parse(authority.validTo);
  if (authorityEndMs <= now) {
    throw new FuncError(
      "unavailable",
      `The CA expired on ${authority.validTo}: it cannot issue certificates any more.`,
      "Make a new CA and enrol the minions again.",
    );
  }
  return signCertificate(
    {
      issuer: subjectOf(authority),
      subject: distinguishedName(name),
      publicKey,
      notBeforeMs: Math.max(now - CLOCK_SKEW_MS, Date.parse(authority.validFrom)),
      notAfterMs: Math.min(now + days * DAY_MS, authorityEndMs),
      extensions: leafExtensions({
        extendedKeyUsage: KEY_USAGE_OF[role],
        uri: `func:${role}:${name}`,
        dnsName: role === "minion" || role === "certmaster" ? name : undefined,
        keyIdentifier: keyIdentifier(publicKey),
        issuerKeyIdentifier: authorityKeyIdentifierOf(authority),
      }),
    },
    key.get(),
  );
}
