export interface CreateTokenParams {
  /** Only hosts whose name matches may use it. */
  nameGlob?: string;
  /** Default 15 minutes. */
  ttlMs?: number;
  /** Host name or address (with optional ":port") under which minions reach the certmaster; default: this machine's own addresses. */
  addresses?: string[];
}

export interface JoinToken {
  id: string;
  /** The whole token for `funcd join`. Shown once, never stored. */
  token: string;
  expiresAtMs: number;
  addresses: string[];
  /** hex SHA-256 of the CA certificate, which the token pins. */
  caFingerprint: string;
}

export interface TokenRecord {
  id: string;
  nameGlob?: string;
  expiresAtMs: number;
}

export interface CertificateRecord {
  name: string;
  role: "minion" | "overlord" | "operator";
  serial: string;
  keyFingerprint: string;
  notBeforeMs: number;
  notAfterMs: number;
}

export interface CertmasterList {
  /** Undefined while no CA exists (it is made with the first token). */
  caFingerprint?: string;
  certificates: CertificateRecord[];
  tokens: TokenRecord[];
}
