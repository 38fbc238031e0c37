import asn1 from "node-forge/lib/asn1";

export type Der = asn1.Asn1;

const UNIVERSAL = 0x00;
const CONTEXT = 0x80;
const UNEXPECTED = "its structure is not the one expected";

/** The universal tags used in certificates. */
export const TAG = {
  boolean: 1,
  integer: 2,
  bitString: 3,
  octetString: 4,
  null: 5,
  oid: 6,
  enumerated: 10,
  utf8String: 12,
  sequence: 16,
  set: 17,
  printableString: 19,
  ia5String: 22,
  utcTime: 23,
  generalizedTime: 24,
} as const;

const primitive = (tag: number, content: Uint8Array | string): Der =>
  asn1.create(UNIVERSAL, tag, false, bytes(content));

export const sequence = (...items: Der[]): Der => asn1.create(UNIVERSAL, TAG.sequence, true, items);
export const set = (...items: Der[]): Der => asn1.create(UNIVERSAL, TAG.set, true, items);
export const oid = (dotted: string): Der =>
  asn1.create(UNIVERSAL, TAG.oid, false, asn1.oidToDer(dotted).getBytes());
export const nothing = (): Der => primitive(TAG.null, "");
export const truth = (): Der => primitive(TAG.boolean, Uint8Array.of(0xff));
export const octetString = (content: Uint8Array): Der => primitive(TAG.octetString, content);
export const utf8String = (text: string): Der => primitive(TAG.utf8String, text);

/** `content` is the number's two's complement, most significant byte first. */
export const integer = (content: Uint8Array): Der => primitive(TAG.integer, content);

/** `content` is a number that is not negative, most significant byte first. */
export function unsigned(content: Uint8Array): Der {
  const first = content.findIndex((byte) => byte !== 0);
  const digits = first < 0 ? Uint8Array.of(0) : content.subarray(first);
  // DER: no leading zero byte but the one that keeps the number positive
  return integer((digits[0] ?? 0) < 0x80 ? digits : Buffer.concat([Uint8Array.of(0), digits]));
}

/** `code` is below 128. */
export const enumerated = (code: number): Der => primitive(TAG.enumerated, Uint8Array.of(code));

export const bitString = (content: Uint8Array, unusedBits = 0): Der =>
  primitive(TAG.bitString, Buffer.concat([Uint8Array.of(unusedBits), content]));

/** `[tag] EXPLICIT` around `item`. */
export const explicit = (tag: number, ...items: Der[]): Der =>
  asn1.create(CONTEXT, tag, true, items);

/** `[tag] IMPLICIT` primitive with these content bytes. */
export const implicit = (tag: number, content: Uint8Array | string): Der =>
  asn1.create(CONTEXT, tag, false, bytes(content));

/** X.509's rule: UTCTime up to 2049, GeneralizedTime from 2050 on. */
export function time(date: Date): Der {
  const digits = `${date.toISOString().slice(0, 19).replace(/[-:T]/g, "")}Z`;
  return date.getUTCFullYear() < 2050
    ? primitive(TAG.utcTime, digits.slice(2))
    : primitive(TAG.generalizedTime, digits);
}

/** Bit strings stay as they are: a public key is never looked into here. Throws Error where it is not DER. */
export function decode(der: Uint8Array): Der {
  const value = asn1.fromDer(bytes(der), { strict: true, decodeBitStrings: false });
  if (!encode(value).equals(der)) throw new Error("not in the distinguished encoding");
  return value;
}

export function encode(value: Der): Buffer {
  return Buffer.from(asn1.toDer(value).getBytes(), "latin1");
}

/** The nested values of a constructed value with this tag; throws Error where it is something else. */
export function children(value: Der | undefined, tag: number = TAG.sequence): Der[] {
  if (value?.tagClass !== UNIVERSAL || value.type !== tag) throw new Error(UNEXPECTED);
  return nested(value);
}

/** The nested values of a constructed value with any tag; throws Error where it is primitive. */
export function nested(value: Der): Der[] {
  if (!Array.isArray(value.value)) throw new Error(UNEXPECTED);
  return value.value;
}

/** The content bytes of a primitive value with this tag; throws Error where it is something else. */
export function content(value: Der | undefined, tag: number): Buffer {
  const fits = value?.tagClass === UNIVERSAL && value.type === tag;
  if (!fits || typeof value.value !== "string") throw new Error(UNEXPECTED);
  return Buffer.from(value.value, "latin1");
}

/** The content of a bit string of whole bytes; throws Error where it is something else. */
export function bits(value: Der | undefined): Buffer {
  const [unusedBits, ...rest] = content(value, TAG.bitString);
  if (unusedBits !== 0) throw new Error(UNEXPECTED);
  return Buffer.from(rest);
}

/** The dotted form of an object identifier. */
export function oidText(value: Der | undefined): string {
  return asn1.derToOid(content(value, TAG.oid).toString("latin1"));
}

/** True for the context tag `[tag]`. */
export function isContext(value: Der, tag: number): boolean {
  return value.tagClass === CONTEXT && value.type === tag;
}

// forge holds bytes in latin1 strings
function bytes(value: Uint8Array | string): string {
  return Buffer.from(value).toString("latin1");
}
