import { sign, verify, type KeyObject, type X509Certificate } from "node:crypto";
import { keyFingerprint } from "../certificates/identity";

/** One of each CA that is trusted at that time. */
const MAX_SIGNATURES = 8;
const SIGNATURE_LINE = /^signature ([0-9a-f]{64}) ([A-Za-z0-9+/]{1,2000}={0,2})$/;

/** Of whom a line of signature says it is. */
export interface DocumentSignature {
  /** hex SHA-256 of the public key. */
  signer: string;
  signature: Buffer;
}

/**
 * A line "signature SIGNER BASE64" for each key, over the bytes of `text`: ECDSA with SHA-256 (DER) by an EC key,
 * RSA PKCS #1 v1.5 with SHA-256 by an RSA key, pure EdDSA by an Ed25519 key.
 */
export function signatureLines(text: string, signers: readonly KeyObject[]): string {
  return signers
    .map((key) => `signature ${keyFingerprint(key)} ${signatureOf(text, key)}\n`)
    .join("");
}

/** base64 signature over the bytes of `text`, as in `signatureLines`. */
export function signatureOf(text: string, key: KeyObject): string {
  return sign(hashFor(key), Buffer.from(text), key).toString("base64");
}

/** True where the private half of `key` has signed `text` as it is. Throws Error where the key can sign nothing. */
export function isSignedBy(key: KeyObject, text: string, signature: Uint8Array): boolean {
  return verify(hashFor(key), Buffer.from(text), key, signature);
}

/** Reads such lines, without their line feeds. Throws Error where they are malformed, or too many. */
export function readSignatures(lines: readonly string[]): DocumentSignature[] {
  if (lines.length > MAX_SIGNATURES) throw new Error("it has too many signatures");
  return lines.map((line) => {
    const [, signer, signature] = SIGNATURE_LINE.exec(line) ?? [];
    if (signer === undefined || signature === undefined) {
      throw new Error("a signature is malformed");
    }
    return { signer, signature: Buffer.from(signature, "base64") };
  });
}

/** True where one of these CAs has signed `text` as it is. */
export function isSignedByOne(
  authorities: readonly X509Certificate[],
  text: string,
  signatures: readonly DocumentSignature[],
): boolean {
  const keys = new Map(authorities.map(({ publicKey }) => [keyFingerprint(publicKey), publicKey]));
  return signatures.some(({ signer, signature }) => {
    const key = keys.get(signer);
    return key !== undefined && isSignedBy(key, text, signature);
  });
}

/** Ed25519 hashes by itself. */
function hashFor(key: KeyObject): string | null {
  return key.asymmetricKeyType === "ed25519" ? null : "sha256";
}
