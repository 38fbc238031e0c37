import { createPrivateKey, X509Certificate } from "node:crypto";
import { FuncError, messageOf } from "../common/errors";
import type { PeerCertificate } from "../wire/peerCertificate";
import type { XmlRpcValue } from "../wire/value";
import { certificatePem } from "./certificate";
import { identityOf, isCertmaster } from "./identity";

/** PEM texts that a host gets. */
export interface Enrolment {
  certificatePem: string;
  /** The CA that the host knew before it asked: nothing else is to be trusted. */
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
 * is trusted. Throws FuncError "broken-answer".
 */
export function checkedEnrolment(
  answer: XmlRpcValue | undefined,
  expected: { name: string; privateKeyPem: string; caPem: string; address: string },
): Enrolment {
  const { name, caPem } = expected;
  try {
    if (typeof answer !== "string") throw new Error("there is no certificate in it");
    const certificate = new X509Certificate(answer);
    const identity = identityOf(certificate);
    const good =
      identity?.role === "minion" &&
      identity.name === name &&
      certificate.checkPrivateKey(createPrivateKey(expected.privateKeyPem)) &&
      certificate.verify(new X509Certificate(caPem).publicKey);
    if (!good) throw new Error("the certificate is not for this host");
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
