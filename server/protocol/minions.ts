/** "unknown" until the first call to it since the overlord started. */
export type MinionState = "unknown" | "online" | "unreachable";

export interface MinionRecord {
  name: string;
  /** Host name or IP address that the overlord connects to. */
  address: string;
  port: number;
  state: MinionState;
  /** Why it is unreachable, one sentence. */
  problem?: string;
  lastSeenMs?: number;
  enrolledAtMs: number;
  /** hex SHA-256 of the public key (SPKI). */
  keyFingerprint: string;
  certificateSerial: string;
  certificateNotAfterMs: number;
  /** While its certificate is renewed: what the minion may show from now on, besides what it had. */
  renewing?: RenewedCertificate;
  /**
   * Its certificate is one of the original, with a common name only: it is good on that key and nothing else, and
   * is not renewed.
   */
  cnOnly?: true;
}

export interface RenewedCertificate {
  keyFingerprint: string;
  certificateSerial: string;
  certificateNotAfterMs: number;
}

/** `minions/changed`: records that are new or changed, and names that are gone. */
export interface MinionsChanged {
  changed: MinionRecord[];
  removed: string[];
}

/** What a target expression means. */
export interface TargetMatch {
  spec: string;
  names: string[];
  /** What is wrong with the delegation map. */
  warning?: string;
}
