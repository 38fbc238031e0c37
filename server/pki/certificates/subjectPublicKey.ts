import { valueAt } from "./tlv";

const SEQUENCE = 0x30;
const EXPLICIT_VERSION = 0xa0;
/** serialNumber, signature, issuer, validity, subject */
const FIELDS_BEFORE_KEY = 5;

/**
 * The SubjectPublicKeyInfo as it stands in a certificate (DER); undefined where it is not found. Node's own
 * way (`certificate.publicKey.export`) takes ten times longer than the rest of a call on an open connection.
 */
export function subjectPublicKey(certificate: Uint8Array): Uint8Array | undefined {
  const outer = valueAt(certificate, 0);
  if (outer?.tag !== SEQUENCE) return undefined;
  const body = valueAt(certificate, outer.from);
  if (body?.tag !== SEQUENCE) return undefined;
  let next = valueAt(certificate, body.from);
  if (next?.tag === EXPLICIT_VERSION) next = valueAt(certificate, next.to);
  for (let field = 0; field < FIELDS_BEFORE_KEY && next; field++) {
    next = valueAt(certificate, next.to);
  }
  if (next?.tag !== SEQUENCE || next.to > body.to) return undefined;
  return certificate.subarray(next.at, next.to);
}
