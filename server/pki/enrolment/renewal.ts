import {
  createPrivateKey,
  createPublicKey,
  sign,
  verify,
  X509Certificate,
  type KeyObject,
} from "node:crypto";
import { FuncError, messageOf } from "../../common/errors";
import type { XmlRpcValue } from "../../wire/value";
import { certificatePem } from "../certificates/certificate";
import { createCsr, readCsr } from "../certificates/csr";
import { identityOf, keyFingerprint } from "../certificates/identity";
import { isStruct, text } from "./enrolProtocol";

/** Makes a new key on the minion; answers what `renewalRequest` gives. */
export const RENEWAL_REQUEST_METHOD = "trust.renewal_request";
/** Takes the certificate for that key, and the CA's. */
export const INSTALL_CERTIFICATE_METHOD = "trust.install_certificate";

/** A signature by the old key means this and nothing else. */
const PURPOSE = "func renewal request 1\n";

/** By which right a certificate is renewed. */
export interface RenewalProof {
  /** Of the key that asks for a successor. */
  keyFingerprint: string;
  /** How many keys of the name were revoked when the renewal began. */
  revocations: number;
}

/** PEM texts. */
interface KeyPair {
  key: string;
  certificate: string;
}

/**
 * `certificate`: the present one, PEM; `csr`: PEM of a PKCS #10 request, by the new key; `proof`: base64 of the
 * present key's signature over that.
 */
export type RenewalRequest = Record<"certificate" | "csr" | "proof", string>;

/** What a minion sends to get a certificate for a new key. */
export function renewalRequest(name: string, present: KeyPair, newKey: string): RenewalRequest {
  const csr = createCsr(name, newKey);
  const proof = sign("sha256", Buffer.from(PURPOSE + csr), createPrivateKey(present.key));
  return { certificate: present.certificate, csr, proof: proof.toString("base64") };
}

export interface CheckedRenewal {
  publicKey: KeyObject;
  /** Of the new key. */
  keyFingerprint: string;
  /** Of the key that signed the request. */
  presentKeyFingerprint: string;
}

/**
 * Reads the answer of `renewalRequest`: it must be for this minion's name and be signed by a key that the minion
 * is known by. Throws FuncError "denied" where it is not, "broken-answer" where it cannot be read.
 */
export function readRenewalRequest(
  answer: XmlRpcValue,
  expected: { name: string; keyFingerprints: readonly string[] },
): CheckedRenewal {
  const { name } = expected;
  const { certificate, csr, proof } = partsOf(answer, name);
  const identity = identityOf(certificate);
  if (identity?.role !== "minion" || identity.name !== name) {
    throw denied(name, "its present certificate is another's");
  }
  if (!expected.keyFingerprints.includes(identity.keyFingerprint)) {
    throw denied(name, "it is not signed by the key that the minion is known by");
  }
  if (!verify("sha256", Buffer.from(PURPOSE + csr), certificate.publicKey, proof)) {
    throw denied(name, "the proof with its present key is wrong");
  }
  const request = readCsr(csr);
  if (request.name !== name) throw denied(name, `it is for ${request.name}`);
  const wanted = keyFingerprint(request.publicKey);
  if (wanted === identity.keyFingerprint) throw denied(name, "it is for the same key again");
  return {
    publicKey: request.publicKey,
    keyFingerprint: wanted,
    presentKeyFingerprint: identity.keyFingerprint,
  };
}

/**
 * The certificate that replaces the one of `name`, as PEM with nothing else: of the same name and role, for this
 * key, from one of these CAs. Throws FuncError "bad-argument" that says what is wrong.
 */
export function checkRenewedCertificate(
  certificate: string,
  expected: { name: string; key: string; authorities: readonly X509Certificate[] },
): string {
  const { name, authorities } = expected;
  let read: X509Certificate;
  try {
    read = new X509Certificate(certificate);
  } catch (error) {
    throw refused(name, `it cannot be read: ${messageOf(error)}`);
  }
  const identity = identityOf(read);
  if (identity?.role !== "minion") throw refused(name, "it is not a minion's");
  if (identity.name !== name) throw refused(name, `it is for ${identity.name}`);
  if (identity.keyFingerprint !== keyFingerprint(createPublicKey(expected.key))) {
    throw refused(name, "it is for another key than the one asked for");
  }
  if (!authorities.some((authority) => isIssuedBy(read, authority))) {
    throw refused(name, "it comes from a CA that this minion does not trust");
  }
  const now = Date.now();
  if (Date.parse(read.validTo) <= now || Date.parse(read.validFrom) > now) {
    throw refused(
      name,
      `it is valid from ${read.validFrom} to ${read.validTo} only, and here it is ${new Date(now).toISOString()}: look at the clocks of both hosts`,
    );
  }
  return certificatePem(read);
}

/** True where `authority` signed `certificate`. Dates are not looked at. */
export function isIssuedBy(certificate: X509Certificate, authority: X509Certificate): boolean {
  return (
    authority.ca && certificate.checkIssued(authority) && certificate.verify(authority.publicKey)
  );
}

function partsOf(
  answer: XmlRpcValue,
  name: string,
): { certificate: X509Certificate; csr: string; proof: Buffer } {
  try {
    if (!isStruct(answer)) throw new Error("it is no struct");
    return {
      certificate: new X509Certificate(text(answer, "certificate")),
      csr: text(answer, "csr"),
      proof: Buffer.from(text(answer, "proof"), "base64"),
    };
  } catch (error) {
    throw new FuncError(
      "broken-answer",
      `${name}: its request for renewal cannot be read: ${messageOf(error)}`,
      undefined,
      { cause: error },
    );
  }
}

function denied(name: string, why: string): FuncError {
  return new FuncError(
    "denied",
    `The certificate of ${name} is not renewed: ${why}.`,
    "Look at that host: if it was set up anew, enrol it again.",
  );
}

function refused(name: string, why: string): FuncError {
  return new FuncError("bad-argument", `The certificate for ${name} is refused: ${why}.`);
}
