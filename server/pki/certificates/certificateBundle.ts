import { X509Certificate } from "node:crypto";

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;
/** The CAs of one fleet: two while they change over. */
const MAX_CERTIFICATES = 8;

/** The CA certificates of a PEM text, at least one. Throws Error that says what is wrong with it. */
export function readAuthorities(pem: string): X509Certificate[] {
  const blocks = pem.match(BLOCK) ?? [];
  if (blocks.length === 0) throw new Error("it holds no certificate");
  if (blocks.length > MAX_CERTIFICATES) throw new Error("it holds too many certificates");
  const authorities = blocks.map((block) => new X509Certificate(block));
  for (const authority of authorities) {
    if (!authority.ca || !authority.verify(authority.publicKey)) {
      throw new Error("what it holds is not the certificate of a CA, or is damaged");
    }
  }
  return authorities;
}
