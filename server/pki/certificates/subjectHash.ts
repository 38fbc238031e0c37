import { createHash } from "node:crypto";
import { encode } from "./der";
import { relativeNames } from "./distinguishedName";

/**
 * What `openssl x509 -subject_hash` prints in hex for a certificate of this name, as a number: the original's
 * access rules name callers by it. 32 bits of a digest, no proof of anything.
 */
export function subjectHash(name: string): number {
  // OpenSSL's canonical form: small letters, and no sequence around the parts
  const parts = relativeNames(name.toLowerCase()).map((part) => encode(part));
  return createHash("sha1").update(Buffer.concat(parts)).digest().readUInt32LE(0);
}
