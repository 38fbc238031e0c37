import { createHash } from "node:crypto";
import type { PeerCertificate } from "../../wire/peerCertificate";
import { tlv, valueAt, valuesIn, type TlvValue } from "./tlv";

const SEQUENCE = 0x30;
const SET = 0x31;
const EXPLICIT_VERSION = 0xa0;
/** 2.5.4.3, with its tag. */
const COMMON_NAME = Buffer.from([0x06, 0x03, 0x55, 0x04, 0x03]);
const UTF8_STRING = 0x0c;
const PRINTABLE_STRING = 0x13;
const T61_STRING = 0x14;
const IA5_STRING = 0x16;
const VISIBLE_STRING = 0x1a;
const UNIVERSAL_STRING = 0x1c;
const BMP_STRING = 0x1e;

/** The subject of a certificate, as the original's access rules name it. */
export interface SubjectName {
  /** The first common name. */
  commonName: string;
  /** How many common names there are. */
  commonNames: number;
  /** What `openssl x509 -subject_hash` prints in hex, as a number: 32 bits of a digest, no proof of anything. */
  hash: number;
}

/** A certificate never changes, and is asked about at every call of its connection. */
const names = new WeakMap<PeerCertificate, SubjectName | null>();

/** Undefined where the subject has no common name, or cannot be read. */
export function subjectNameOf(certificate: PeerCertificate): SubjectName | undefined {
  let name = names.get(certificate);
  if (name === undefined) {
    try {
      name = readSubject(certificate.raw) ?? null;
    } catch {
      name = null;
    }
    names.set(certificate, name);
  }
  return name ?? undefined;
}

function readSubject(der: Uint8Array): SubjectName | undefined {
  const outer = valueAt(der, 0);
  const toBeSigned = outer && valuesIn(der, outer)[0];
  if (!toBeSigned) return undefined;
  const fields = valuesIn(der, toBeSigned);
  // the version is left out in version 1; then serial number, algorithm, issuer, validity, subject
  const subject = fields[fields[0]?.tag === EXPLICIT_VERSION ? 5 : 4];
  if (subject?.tag !== SEQUENCE) return undefined;
  const relatives = valuesIn(der, subject).map((relative) =>
    valuesIn(der, relative).map((attribute) => attributeOf(der, attribute)),
  );
  const named = relatives.flat().filter(({ type }) => COMMON_NAME.equals(type));
  const commonName = named[0]?.text;
  if (commonName === undefined || commonName === "") return undefined;
  return { commonName, commonNames: named.length, hash: hashOf(relatives) };
}

interface Attribute {
  /** DER of the object identifier and of the value. */
  type: Uint8Array;
  value: Uint8Array;
  /** Undefined for values that OpenSSL does not compare as text. */
  text: string | undefined;
}

function attributeOf(der: Uint8Array, attribute: TlvValue): Attribute {
  const [type, value] = valuesIn(der, attribute);
  if (!type || !value) throw new Error("an attribute has no value");
  return {
    type: der.subarray(type.at, type.to),
    value: der.subarray(value.at, value.to),
    text: textOf(value.tag, Buffer.from(der.subarray(value.from, value.to))),
  };
}

/** OpenSSL's: SHA-1 over its canonical form of the name, which has no outer sequence. */
function hashOf(relatives: readonly Attribute[][]): number {
  const digest = createHash("sha1");
  for (const attributes of relatives) {
    const canonical = attributes.map(({ type, value, text }) => {
      const same =
        text === undefined ? value : tlv(UTF8_STRING, Buffer.from(canonicalText(text), "utf8"));
      return tlv(SEQUENCE, type, same);
    });
    // a set is sorted by its encodings
    digest.update(tlv(SET, ...canonical.sort((a, b) => Buffer.compare(a, b))));
  }
  return digest.digest().readUInt32LE(0);
}

/** Spaces at the ends go, others become one; ASCII letters become small. */
function canonicalText(text: string): string {
  return text
    .replace(/^[ \t\n\v\f\r]+|[ \t\n\v\f\r]+$/g, "")
    .replace(/[ \t\n\v\f\r]+/g, " ")
    .replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

function textOf(tag: number, content: Buffer): string | undefined {
  switch (tag) {
    case UTF8_STRING:
    case PRINTABLE_STRING:
    case IA5_STRING:
    case VISIBLE_STRING:
      return content.toString("utf8");
    case T61_STRING:
      return content.toString("latin1");
    case BMP_STRING:
      return content.swap16().toString("utf16le");
    case UNIVERSAL_STRING:
      return utf32Text(content);
    default:
      return undefined;
  }
}

function utf32Text(bytes: Buffer): string {
  let text = "";
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    text += String.fromCodePoint(bytes.readUInt32BE(at));
  }
  return text;
}
