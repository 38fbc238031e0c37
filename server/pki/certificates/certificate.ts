import { createHash, randomBytes, sign, X509Certificate, type KeyObject } from "node:crypto";
import {
  bits,
  bitString,
  children,
  content,
  decode,
  encode,
  explicit,
  integer,
  isContext,
  nested,
  oidText,
  sequence,
  TAG,
  time,
  type Der,
} from "./der";
import { EXTENSIONS_FIELD, extensionsField, SUBJECT_KEY_ID } from "./extensions";
import { toPem } from "./pem";
import { signatureAlgorithm } from "./signatureAlgorithm";

export interface CertificateFields {
  issuer: Der;
  subject: Der;
  publicKey: KeyObject;
  notBeforeMs: number;
  notAfterMs: number;
  extensions: Der[];
}

/** An X.509 v3 certificate with a random 128-bit serial number, signed by `issuerKey`. */
export function signCertificate(fields: CertificateFields, issuerKey: KeyObject): X509Certificate {
  const algorithm = signatureAlgorithm(issuerKey);
  const toBeSigned = sequence(
    explicit(0, integer(Uint8Array.of(2))), // version 3
    integer(randomSerial()),
    algorithm,
    fields.issuer,
    sequence(time(new Date(fields.notBeforeMs)), time(new Date(fields.notAfterMs))),
    fields.subject,
    subjectPublicKeyInfo(fields.publicKey),
    extensionsField(fields.extensions),
  );
  const signature = sign("sha256", encode(toBeSigned), issuerKey);
  return new X509Certificate(encode(sequence(toBeSigned, algorithm, bitString(signature))));
}

/** `certificate` as PEM, ended by a line feed. */
export function certificatePem(certificate: X509Certificate): string {
  return toPem("CERTIFICATE", certificate.raw);
}

/** The subject as it is encoded: an issuer's must be repeated byte by byte. */
export function subjectOf(certificate: X509Certificate): Der {
  const subject = children(children(decode(certificate.raw))[0])[5];
  if (subject === undefined) throw new Error("unexpected structure");
  return subject;
}

/** Node encodes a key slowly, and a key never changes. */
const encodedKeys = new WeakMap<KeyObject, Der>();
const keyIdentifiers = new WeakMap<KeyObject, Buffer>();

/** The public key as it stands in certificates. */
export function subjectPublicKeyInfo(key: KeyObject): Der {
  let info = encodedKeys.get(key);
  if (info === undefined) {
    info = decode(key.export({ type: "spki", format: "der" }));
    encodedKeys.set(key, info);
  }
  return info;
}

/** RFC 7093, method 1: the first 160 bits of the SHA-256 of the key's bits. */
export function keyIdentifier(key: KeyObject): Buffer {
  let identifier = keyIdentifiers.get(key);
  if (identifier === undefined) {
    const keyBits = bits(children(subjectPublicKeyInfo(key))[1]);
    identifier = createHash("sha256").update(keyBits).digest().subarray(0, 20);
    keyIdentifiers.set(key, identifier);
  }
  return identifier;
}

/**
 * What names this authority's key in all that it signs: the identifier in its own certificate, which OpenSSL
 * compares, whoever made it; where it has none (the original's), ours.
 */
export function authorityKeyIdentifierOf(authority: X509Certificate): Buffer {
  const fields = children(children(decode(authority.raw))[0]);
  const field = fields.find((one) => isContext(one, EXTENSIONS_FIELD));
  const extensions = field ? children(nested(field)[0]).map((one) => children(one)) : [];
  const value = extensions.find(([id]) => oidText(id) === SUBJECT_KEY_ID)?.at(-1);
  if (value === undefined) return keyIdentifier(authority.publicKey);
  return content(decode(content(value, TAG.octetString)), TAG.octetString);
}

function randomSerial(): Buffer {
  const serial = randomBytes(16);
  // DER: no leading zero byte but the one that keeps the number positive
  if (serial[0] === 0) serial[0] = 1;
  return (serial[0] ?? 0) < 0x80 ? serial : Buffer.concat([Uint8Array.of(0), serial]);
}

/** hex SHA-256 of a certificate (DER). */
export function certificateFingerprint(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(":", "").toLowerCase();
}
