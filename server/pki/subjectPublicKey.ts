const SEQUENCE = 0x30;
const EXPLICIT_VERSION = 0xa0;
/** serialNumber, signature, issuer, validity, subject */
const FIELDS_BEFORE_KEY = 5;
const LONG_FORM = 0x80;
const MAX_LENGTH_BYTES = 4;

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

/** A value that begins `at`; its content goes from `from` to `to`. */
interface Value {
  tag: number;
  at: number;
  from: number;
  to: number;
}

function valueAt(der: Uint8Array, at: number): Value | undefined {
  const tag = der[at];
  const first = der[at + 1];
  if (tag === undefined || first === undefined) return undefined;
  let from = at + 2;
  let length = first;
  if (first >= LONG_FORM) {
    const bytes = first - LONG_FORM;
    if (bytes === 0 || bytes > MAX_LENGTH_BYTES) return undefined;
    length = 0;
    for (const end = from + bytes; from < end; from++) length = length * 256 + (der[from] ?? NaN);
  }
  const to = from + length;
  return to <= der.length ? { tag, at, from, to } : undefined;
}
