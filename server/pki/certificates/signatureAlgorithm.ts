import type { KeyObject } from "node:crypto";
import { children, nothing, oid, oidText, sequence, type Der } from "./der";

const ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";
const SHA256_WITH_RSA = "1.2.840.113549.1.1.11";

/**
 * RSA-PSS, and SHA-1 with EC, are left out on purpose: nobody who is to enrol here needs them. The original's
 * minions sign their requests with MD5 or SHA-1; such a signature only shows that they have the key.
 */
const HASHES: Readonly<Record<string, { keyType: string; hash: string }>> = {
  [ECDSA_WITH_SHA256]: { keyType: "ec", hash: "sha256" },
  "1.2.840.10045.4.3.3": { keyType: "ec", hash: "sha384" },
  "1.2.840.10045.4.3.4": { keyType: "ec", hash: "sha512" },
  "1.2.840.113549.1.1.4": { keyType: "rsa", hash: "md5" },
  "1.2.840.113549.1.1.5": { keyType: "rsa", hash: "sha1" },
  [SHA256_WITH_RSA]: { keyType: "rsa", hash: "sha256" },
  "1.2.840.113549.1.1.12": { keyType: "rsa", hash: "sha384" },
  "1.2.840.113549.1.1.13": { keyType: "rsa", hash: "sha512" },
};

/** The AlgorithmIdentifier of a signature with SHA-256 by this key. */
export function signatureAlgorithm(key: KeyObject): Der {
  return key.asymmetricKeyType === "rsa"
    ? sequence(oid(SHA256_WITH_RSA), nothing())
    : sequence(oid(ECDSA_WITH_SHA256));
}

/** The hash of a signature by a key of this type; throws Error where the two do not go together. */
export function hashOf(algorithm: Der | undefined, key: KeyObject): string {
  const known = HASHES[oidText(children(algorithm)[0])];
  if (known === undefined || known.keyType !== key.asymmetricKeyType) {
    throw new Error("the signature algorithm is not supported");
  }
  return known.hash;
}
