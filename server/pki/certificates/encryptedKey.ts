import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  randomBytes,
  scrypt,
  type KeyObject,
  type ScryptOptions,
} from "node:crypto";
import { promisify } from "node:util";
import {
  children,
  content,
  decode,
  encode,
  integer,
  octetString,
  oid,
  oidText,
  sequence,
  TAG,
} from "./der";
import { fromPem, toPem } from "./pem";

const PBES2 = "1.2.840.113549.1.5.13";
const SCRYPT = "1.3.6.1.4.1.11591.4.11";
const AES_256_CBC = "2.16.840.1.101.3.4.1.42";
const KEY_BYTES = 32;
/** 16 MiB and some 0.2 s for each guess. OpenSSL reads no key that takes more than 32 MiB. */
const COST = { N: 16_384, r: 8, p: 5 };
const LABEL = "ENCRYPTED PRIVATE KEY";

const derive = promisify<string, Uint8Array, number, ScryptOptions, Buffer>(scrypt);

/**
 * The private key as encrypted PKCS #8 in PEM: PBES2 (RFC 8018) with scrypt (RFC 7914; Node's own export knows
 * PBKDF2 with 2,048 rounds only) and AES-256-CBC. Node and OpenSSL read it.
 */
export async function encryptKey(key: KeyObject, passphrase: string): Promise<string> {
  const salt = randomBytes(16);
  const iv = randomBytes(16);
  const cipherKey = await derive(passphrase, salt, KEY_BYTES, COST);
  const cipher = createCipheriv("aes-256-cbc", cipherKey, iv);
  const plain = key.export({ type: "pkcs8", format: "der" });
  const encrypted = Buffer.concat([cipher.update(plain), cipher.final()]);
  const kdf = sequence(
    oid(SCRYPT),
    sequence(octetString(salt), number(COST.N), number(COST.r), number(COST.p)),
  );
  const scheme = sequence(oid(AES_256_CBC), octetString(iv));
  const algorithm = sequence(oid(PBES2), sequence(kdf, scheme));
  return toPem(LABEL, encode(sequence(algorithm, octetString(encrypted))));
}

/** True where the PEM text is a private key that takes a passphrase. */
export function isEncryptedKey(pem: string): boolean {
  return pem.includes(`-----BEGIN ${LABEL}-----`) || pem.includes("Proc-Type: 4,ENCRYPTED");
}

/**
 * The key in encrypted PKCS #8. What `encryptKey` wrote is opened beside other work; another form, as OpenSSL writes
 * it, may stop this process for a moment. Throws Error where the passphrase is wrong, or the text damaged.
 */
export async function decryptKey(pem: string, passphrase: string): Promise<KeyObject> {
  const own = partsOf(pem);
  if (!own) return createPrivateKey({ key: pem, passphrase });
  const cipherKey = await derive(passphrase, own.salt, KEY_BYTES, COST);
  const decipher = createDecipheriv("aes-256-cbc", cipherKey, own.iv);
  const plain = Buffer.concat([decipher.update(own.encrypted), decipher.final()]);
  return createPrivateKey({ key: plain, format: "der", type: "pkcs8" });
}

/** Undefined where `encryptKey` did not write it. */
function partsOf(pem: string): { salt: Buffer; iv: Buffer; encrypted: Buffer } | undefined {
  try {
    const [algorithm, encrypted] = children(decode(fromPem([LABEL], pem) ?? Buffer.of()));
    const [kind, params] = children(algorithm);
    const [kdf, scheme] = children(params);
    const [kdfKind, kdfParams] = children(kdf);
    const [salt, ...cost] = children(kdfParams);
    const [cipher, iv] = children(scheme);
    const kinds = [kind, kdfKind, cipher].map(oidText).join();
    const asOurs = cost.map(encode).map((one) => one.toString("hex"));
    const ours = [COST.N, COST.r, COST.p].map((one) => encode(number(one)).toString("hex"));
    if (kinds !== [PBES2, SCRYPT, AES_256_CBC].join() || asOurs.join() !== ours.join()) {
      return undefined;
    }
    const bytes = (value: typeof salt): Buffer => content(value, TAG.octetString);
    return { salt: bytes(salt), iv: bytes(iv), encrypted: bytes(encrypted) };
  } catch {
    return undefined; // the other way will tell what is wrong with it
  }
}

function number(value: number): ReturnType<typeof integer> {
  const hex = value.toString(16);
  // two's complement: a leading zero bit
  const bytes = Buffer.from(hex.padStart(hex.length + 2 + (hex.length % 2), "0"), "hex");
  return integer((bytes[1] ?? 0) < 0x80 ? bytes.subarray(1) : bytes);
}
