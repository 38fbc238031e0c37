import type { MinionRecord } from "./minions";

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
  /** Absent while it is not revoked. */
  revoked?: Revocation;
  /** A minion's of the original, which has a common name only. */
  cnOnly?: true;
  /** It is due for renewal, or that was asked for, and failed. */
  renewalFailed?: RenewalFailure;
}

/** Since when a certificate could not be renewed, and why, as of the last try. */
export interface RenewalFailure {
  sinceMs: number;
  problem: string;
}

/** Why a certificate, and the key in it, are of no more worth. */
export interface Revocation {
  atMs: number;
  /** As the operator gave it, or "". */
  reason: string;
}

/** A certificate request that waits for an operator's approval. */
export interface WaitingRequest {
  name: string;
  /** hex SHA-256 of the public key. */
  keyFingerprint: string;
  /** The beginning of the fingerprint as words, to be compared with what the host shows. */
  words: string;
  /** Where the request came from. */
  from: string;
  port: number;
  sinceMs: number;
  /** Set where the name has a live certificate with another key (its fingerprint): approval replaces and revokes it. */
  replaces?: string;
  /** It came over plain HTTP, from an old minion: nobody proved anything, and the host cannot tell who answers. */
  unprotected?: true;
}

/** How hosts can get certificates at this moment. */
export interface EnrolmentModes {
  /** Requests are taken, and wait for approval, until then; absent while this is off. */
  approvalUntilMs?: number;
  /** HOST:PORT under which the listener answers on this machine, for `funcd join --ask`; while requests are taken. */
  approvalAddresses?: string[];
  /** From overlord.yaml; absent while nothing is signed by itself. */
  autosign?: { names: string[]; networks: string[] };
  /**
   * From overlord.yaml: the original's plain HTTP for old minions. `at`: HOST:PORT, or what the file says where
   * it could not be opened (`problem`). `givesUp`: in a sentence, for people.
   */
  originalHttp?: { at: string; givesUp: string; problem?: string };
}

/** How far the replacement of the CA is. */
export interface RotationStatus {
  /** "telling": minions are told to trust the new CA too; "renewing": they get certificates of it. */
  phase: "telling" | "renewing";
  /** hex SHA-256 of the new CA's certificate. */
  newFingerprint: string;
  /** Minions that trust both CAs, as far as is known. */
  told: number;
  untold: string[];
  /** Minions without a certificate of the new CA: they would be lost without the old one. */
  missing: string[];
}

export interface RotateParams {
  /** "finish" drops the old CA; "abort" the new one, as long as it has issued nothing. */
  action: "start" | "finish" | "abort";
  /** Where the CA's key is encrypted: the new one's is too, with the same. */
  passphrase?: string;
  /** With "finish": minions that are given up. */
  without?: string[];
}

export interface CertmasterList {
  /** Undefined while no CA exists (it is made with the first token). */
  caFingerprint?: string;
  /** Its beginning as words, to be compared with what a host shows that asks without a pin. */
  caWords?: string;
  caNotAfterMs?: number;
  /** "locked": its key is encrypted, and the passphrase was not given since the start. */
  caState: "none" | "ready" | "locked";
  /** Its key takes a passphrase, given by now or not. */
  caEncrypted?: true;
  /** What ends within 14 days, or waits because the CA is locked: sentences for people. */
  warnings?: string[];
  /** While the CA is being replaced. */
  rotation?: RotationStatus;
  certificates: CertificateRecord[];
  tokens: TokenRecord[];
  waiting: WaitingRequest[];
  modes: EnrolmentModes;
  /** Of the revocation list; 0 before the first revocation. */
  revocationNumber: number;
}

export interface SignParams {
  /** PEM of a PKCS#10 request. */
  csr: string;
  /** "minion" by default; the name in the request must be this one where it is given. */
  role?: "minion" | "operator";
  name?: string;
  days?: number;
  /** For a minion: where it is reached; it is then put into the inventory. */
  address?: string;
  port?: number;
  /** The name has a live certificate with another key, which this one replaces and revokes. */
  replace?: boolean;
}

/** `certmaster/admit`. */
export interface AdmitParams {
  name: string;
  /** hex SHA-256 of the public key that it has to show at this address. */
  keyFingerprint: string;
  address: string;
  port: number;
}

/** PEM texts. */
export interface SignedCertificate {
  certificate: string;
  /** All CAs of the fleet that are trusted at this time. */
  ca: string;
  record: CertificateRecord;
}

/** Files that the overlord reads: the key goes over no socket. Absolute paths. */
export interface ImportAuthorityParams {
  certificateFile: string;
  keyFile: string;
  /** Where the key is encrypted; it stays so. */
  passphrase?: string;
}

export interface MinionPlace {
  name: string;
  /** Host name or IP address that the overlord connects to. */
  address: string;
  port: number;
}

/** A host with a certificate of the original, as it showed itself just now. */
export interface InspectedMinion extends MinionPlace {
  keyFingerprint: string;
  /** The beginning of the fingerprint as words, to be compared with what the host's own key has. */
  words: string;
  certificateSerial: string;
  notBeforeMs: number;
  notAfterMs: number;
}

export interface AcceptedMinion {
  minion: MinionRecord;
  /** The line for a file in the host's folder of access rules (the original's format) that lets this overlord in. */
  accessRule: string;
}

export interface RenewParams {
  /** Target expression; default: the minions whose certificates are due. */
  spec?: string;
}

export interface RenewResult {
  renewed: { name: string; notAfterMs: number }[];
  /** `problem`: one sentence. */
  failed: { name: string; problem: string }[];
}

export interface RevokeParams {
  /** All certificates of these names, also those that have expired. */
  names?: string[];
  /** Of which role the names are; "minion" by default. */
  role?: CertificateRecord["role"];
  serials?: string[];
  reason?: string;
}

/** `told`: minions that have the new list already; the overlord tries the others for a day, at each start and before their next call. */
export interface RevokeResult {
  revoked: CertificateRecord[];
  revocationNumber: number;
  told: number;
  untold: string[];
  /** Of each of these, in a few words. */
  why: { [minion: string]: string };
}
