import { createPrivateKey, X509Certificate } from "node:crypto";
import { FuncError, messageOf } from "../../common/errors";
import type { PeerCertificate } from "../../wire/peerCertificate";
import type { XmlRpcValue } from "../../wire/value";
import { certificatePem } from "../certificates/certificate";
import { readAuthorities } from "../certificates/certificateBundle";
import { identityOf, isCertmaster } from "../certificates/identity";
import { authoritiesPem } from "../documents/authoritiesDocument";
import { isIssuedBy } from "./renewal";

/** PEM texts that a host gets. */
export interface Enrolment {
  certificatePem: string;
  /** The CA that the host knew before it asked, and those that are trusted beside it while it is replaced. */
  caPem: string;
  name: string;
}

/** For `WireClient.verifyPeer`. Throws FuncError "wrong-identity". */
export function verifyCertmaster(certificate: PeerCertificate, address: string): void {
  if (isCertmaster(certificate)) return;
  // a minion's certificate is of the same CA: it must not get hold of what is sent
  throw new FuncError(
    "wrong-identity",
    `The server at ${address} is not the overlord's certmaster.`,
  );
}

/**
 * The certificate (PEM) that a certmaster gave, checked: it must be for this host's name and key, of the CA that
 * is trusted, or of one that the answer (`ca`) names beside that: only its overlord can have given it. Throws FuncError "broken-answer".
 */
export function checkedEnrolment(
  answer: XmlRpcValue | undefined,
  expected: { name: string; privateKeyPem: string; caPem: string; address: string },
  ca?: XmlRpcValue,
): Enrolment {
  const { name } = expected;
  try {
    const authorities = authoritiesOf(ca, new X509Certificate(expected.caPem));
    if (typeof answer !== "string") throw new Error("there is no certificate in it");
    const certificate = new X509Certificate(answer);
    const identity = identityOf(certificate);
    const good =
      identity?.role === "minion" &&
      identity.name === name &&
      certificate.checkPrivateKey(createPrivateKey(expected.privateKeyPem)) &&
      authorities.some((authority) => isIssuedBy(certificate, authority));
    if (!good) throw new Error("the certificate is not for this host");
    const caPem = authoritiesPem(authorities);
    return { certificatePem: certificatePem(certificate), caPem, name };
  } catch (error) {
    throw new FuncError(
      "broken-answer",
      `The answer of the overlord at ${expected.address} cannot be used: ${messageOf(error)}.`,
      undefined,
      { cause: error },
    );
  }
}

/** What the answer names counts where the CA that was known before is among it. */
function authoritiesOf(ca: XmlRpcValue | undefined, known: X509Certificate): X509Certificate[] {
  const named = typeof ca === "string" ? readAuthorities(ca) : [];
  const isKnown = named.some(({ fingerprint256 }) => fingerprint256 === known.fingerprint256);
  return isKnown ? named : [known];
}
