import {
  bitString,
  encode,
  explicit,
  implicit,
  integer,
  octetString,
  oid,
  sequence,
  truth,
  unsigned,
  type Der,
} from "./der";

const BASIC_CONSTRAINTS = "2.5.29.19";
const KEY_USAGE = "2.5.29.15";
const EXTENDED_KEY_USAGE = "2.5.29.37";
export const SUBJECT_ALT_NAME = "2.5.29.17";
export const SUBJECT_KEY_ID = "2.5.29.14";
const AUTHORITY_KEY_ID = "2.5.29.35";
const CRL_NUMBER = "2.5.29.20";

/** The tag of the field in a certificate. */
export const EXTENSIONS_FIELD = 3;

/** Tags of GeneralName. */
export const DNS_NAME = 2;
export const URI_NAME = 6;

/** What makes a certificate one of an authority. */
export function authorityExtensions(keyIdentifier: Uint8Array): Der[] {
  return [
    // pathlen 0: it issues for leaves only, never for another authority
    extension(BASIC_CONSTRAINTS, sequence(truth(), integer(Uint8Array.of(0))), true),
    // keyCertSign (bit 5) and cRLSign (bit 6)
    extension(KEY_USAGE, bitString(Uint8Array.of(0x06), 1), true),
    extension(SUBJECT_KEY_ID, octetString(keyIdentifier)),
  ];
}

export interface LeafExtensions {
  extendedKeyUsage: string;
  uri: string;
  dnsName?: string;
  keyIdentifier: Uint8Array;
  issuerKeyIdentifier: Uint8Array;
}

export function leafExtensions(leaf: LeafExtensions): Der[] {
  return [
    extension(BASIC_CONSTRAINTS, sequence(), true),
    // digitalSignature (bit 0): all that TLS 1.2 with (EC)DHE and TLS 1.3 need
    extension(KEY_USAGE, bitString(Uint8Array.of(0x80), 7), true),
    extension(EXTENDED_KEY_USAGE, sequence(oid(leaf.extendedKeyUsage))),
    alternativeNames(leaf.uri, leaf.dnsName),
    extension(SUBJECT_KEY_ID, octetString(leaf.keyIdentifier)),
    authorityKeyIdentifier(leaf.issuerKeyIdentifier),
  ];
}

export function alternativeNames(uri: string, dnsName?: string): Der {
  const names = [implicit(URI_NAME, uri)];
  if (dnsName !== undefined) names.push(implicit(DNS_NAME, dnsName));
  return extension(SUBJECT_ALT_NAME, sequence(...names));
}

export function authorityKeyIdentifier(keyIdentifier: Uint8Array): Der {
  return extension(AUTHORITY_KEY_ID, sequence(implicit(0, keyIdentifier)));
}

/** Of a revocation list. */
export function crlNumber(number: number): Der {
  const content = Buffer.alloc(8);
  content.writeBigUInt64BE(BigInt(number));
  return extension(CRL_NUMBER, unsigned(content));
}

/** `[3] EXPLICIT Extensions` of a certificate. */
export function extensionsField(extensions: Der[]): Der {
  return explicit(EXTENSIONS_FIELD, extensionList(extensions));
}

export function extensionList(extensions: Der[]): Der {
  return sequence(...extensions);
}

export function extension(id: string, value: Der, critical = false): Der {
  const content = octetString(encode(value));
  return critical ? sequence(oid(id), truth(), content) : sequence(oid(id), content);
}
