import {
  createCipheriv,
  randomBytes,
  scrypt,
  type KeyObject,
  type ScryptOptions,
} from "node:crypto";
import { promisify } from "node:util";
import { encode, integer, octetString, oid, sequence } from "./der";
import { toPem } from "./pem";

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

function number(value: number): ReturnType<typeof integer> {
  const hex = value.toString(16);
  // two's complement: a leading zero bit
  const bytes = Buffer.from(hex.padStart(hex.length + 2 + (hex.length % 2), "0"), "hex");
  return integer((bytes[1] ?? 0) < 0x80 ? bytes.subarray(1) : bytes);
}
