import { createHash } from "node:crypto";
import type { PeerCertificate } from "../wire/peerCertificate";
import { children, content, decode, encode, isContext, oidText, sequence, set, TAG } from "./der";
import { utf8String, type Der } from "./der";

const COMMON_NAME = "2.5.4.3";
const T61_STRING = 20;
const VISIBLE_STRING = 26;
const UNIVERSAL_STRING = 28;
const BMP_STRING = 30;

/** The subject of a certificate, as the original's access rules name it. */
export interface SubjectName {
  /** The first common name. */
  commonName: string;
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
  const [toBeSigned] = children(decode(der));
  const fields = children(toBeSigned);
  const [version] = fields;
  // version is left out in certificates of version 1; then serial, algorithm, issuer, validity, subject
  const subject = fields[version && isContext(version, 0) ? 5 : 4];
  const relatives = children(subject).map((relative) =>
    children(relative, TAG.set).map((attribute) => children(attribute)),
  );
  const common = relatives.flat().find(([type]) => oidText(type) === COMMON_NAME)?.[1];
  const commonName = common && textOf(common);
  if (commonName === undefined || commonName === "") return undefined;
  return { commonName, hash: hashOf(relatives) };
}

/** OpenSSL's: SHA-1 over its canonical form of the name, which has no outer sequence. */
function hashOf(relatives: readonly Der[][][]): number {
  const digest = createHash("sha1");
  for (const attributes of relatives) {
    const canonical = attributes.map(([type, value]) => {
      if (!type || !value) throw new Error("an attribute has no value");
      const text = textOf(value);
      return sequence(type, text === undefined ? value : utf8String(canonicalText(text)));
    });
    // a set is sorted by its encodings
    canonical.sort((a, b) => Buffer.compare(encode(a), encode(b)));
    digest.update(encode(set(...canonical)));
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

/** The text of a string of any of the kinds that OpenSSL compares as text; undefined for other values. */
function textOf(value: Der): string | undefined {
  switch (value.type) {
    case TAG.utf8String:
    case TAG.printableString:
    case TAG.ia5String:
    case VISIBLE_STRING:
      return content(value, value.type).toString("utf8");
    case T61_STRING:
      return content(value, value.type).toString("latin1");
    case BMP_STRING:
      return content(value, value.type).swap16().toString("utf16le");
    case UNIVERSAL_STRING:
      return utf32Text(content(value, value.type));
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
