import { sign, type KeyObject, type X509Certificate } from "node:crypto";
import { authorityKeyIdentifierOf, subjectOf } from "../certificates/certificate";
import {
  bitString,
  encode,
  enumerated,
  explicit,
  integer,
  sequence,
  time,
  unsigned,
  type Der,
} from "../certificates/der";
import {
  authorityKeyIdentifier,
  crlNumber,
  extension,
  extensionList,
} from "../certificates/extensions";
import { toPem } from "../certificates/pem";
import { signatureAlgorithm } from "../certificates/signatureAlgorithm";
import type { Revocations, RevokedRecord } from "./revokedFile";

const REASON_CODE = "2.5.29.21";
/** Other tools refuse everybody once a CRL is past this. */
const VALID_MS = 30 * 24 * 60 * 60 * 1000;
/** X.509's codes, by what operators write; all else goes without one. */
const REASONS: readonly (readonly [RegExp, number])[] = [
  [/^(?:key ?compromised?|compromised?|stolen|lost)\b/, 1],
  [/^affiliation ?changed\b/, 3],
  [/^(?:superseded|replaced)\b/, 4],
  [/^(?:cessation of operation|forgotten|removed|retired)\b/, 5],
  [/^privilege ?withdrawn\b/, 9],
];

/**
 * The X.509 v2 revocation list (RFC 5280) for other tools, PEM: signed by the CA, with the number of our own
 * list, valid for 30 days. Expired certificates stay in it for as long as in our own.
 */
export function createCrl(
  authority: { key: KeyObject; certificate: X509Certificate },
  { number, revoked }: Revocations,
  nowMs = Date.now(),
): string {
  const { key, certificate } = authority;
  const algorithm = signatureAlgorithm(key);
  const toBeSigned = sequence(
    integer(Uint8Array.of(1)), // version 2
    algorithm,
    subjectOf(certificate),
    time(new Date(nowMs)),
    time(new Date(nowMs + VALID_MS)),
    ...(revoked.length > 0 ? [sequence(...revoked.map(entryOf))] : []),
    explicit(
      0,
      extensionList([
        authorityKeyIdentifier(authorityKeyIdentifierOf(certificate)),
        crlNumber(number),
      ]),
    ),
  );
  const signature = sign("sha256", encode(toBeSigned), key);
  return toPem("X509 CRL", encode(sequence(toBeSigned, algorithm, bitString(signature))));
}

function entryOf({ serial, atMs, reason }: RevokedRecord): Der {
  const entry = [
    unsigned(Buffer.from(serial.padStart(serial.length + (serial.length % 2), "0"), "hex")),
  ];
  entry.push(time(new Date(atMs)));
  const code = reasonCode(reason);
  if (code !== undefined) entry.push(extensionList([extension(REASON_CODE, enumerated(code))]));
  return sequence(...entry);
}

function reasonCode(reason: string): number | undefined {
  const text = reason
    .toLowerCase()
    .replace(/[\s_-]+/g, " ")
    .trim();
  return REASONS.find(([pattern]) => pattern.test(text))?.[1];
}
