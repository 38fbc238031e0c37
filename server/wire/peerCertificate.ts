import type { X509Certificate } from "node:crypto";

/**
 * What of a peer's certificate is kept for as long as its connection and its TLS session: an X509Certificate
 * (which can be used in its place) has 12 KB of memory, and takes longer to make than a session to resume.
 */
export interface PeerCertificate {
  /** DER */
  readonly raw: Uint8Array;
  readonly subjectAltName: string | undefined;
  /** The list of extended key usages, as object identifiers. */
  readonly keyUsage: unknown;
  /** True for the certificate of an authority. */
  readonly ca: boolean;
  /** The end of its life, as Date.parse reads it. */
  readonly validTo: string;
}

export function peerCertificate(certificate: X509Certificate): PeerCertificate {
  const { raw, subjectAltName, keyUsage, ca, validTo } = certificate;
  return { raw, subjectAltName, keyUsage, ca, validTo };
}
