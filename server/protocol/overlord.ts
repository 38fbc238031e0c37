/** The protocol's version: clients and overlord must agree on `major`. */
export const PROTOCOL_MAJOR = 1;
export const PROTOCOL_MINOR = 0;

export type ClientKind = "extension" | "cli" | "library" | "funcd";

/** `initializationOptions` of `initialize`: the client shows that it could read `<data>/endpoint`. */
export interface ClientHello {
  protocolMajor: number;
  kind: ClientKind;
  version: string;
  /** Of the client's process; for the audit, proved by nothing. */
  pid?: number;
  /** 16 random bytes, hex, used once. */
  nonce: string;
  sentAtMs: number;
  /** hex HMAC-SHA-256(secret, "client:" + nonce + ":" + sentAtMs). */
  proof: string;
}

/** `overlord` in the answer to `initialize`: the overlord shows the same. */
export interface OverlordHello {
  protocolMajor: number;
  protocolMinor: number;
  version: string;
  pid: number;
  host: string;
  dataDirectory: string;
  /** hex HMAC-SHA-256(secret, "overlord:" + nonce). */
  proof: string;
}

/** `<data>/endpoint`, mode 0600. */
export interface EndpointFile {
  /** Path of the Unix socket, or name of the pipe on Windows. */
  path: string;
  /** 32 random bytes, hex, new for each overlord process. */
  secret: string;
  pid: number;
  version: string;
}

export interface BackupParams {
  /** Absolute; must not exist yet. */
  file: string;
  /** Without one, whoever reads the file has the CA's key. */
  passphrase?: string;
}

export interface BackupResult {
  file: string;
  bytes: number;
  /** How many files of the data directory are in it. */
  files: number;
  encrypted: boolean;
}

export interface OverlordStatus {
  version: string;
  pid: number;
  host: string;
  dataDirectory: string;
  startedAtMs: number;
  clients: number;
  minions: number;
  runningJobs: number;
  openTokens: number;
  /** Address of the certmaster's listener while it is open. */
  certmasterListening?: string;
  /** Default number of minions called at the same time. */
  nforks: number;
  /** Default time limit of a call on one minion. */
  timeoutMs: number;
  /** Disk space of outputs that are too large for memory. */
  outputBytes: number;
  jobStore: JobStoreStatus;
}

export interface JobStoreStatus {
  /** Kept ones, those that run included. */
  jobs: number;
  /** On the disk, large outputs not included. */
  bytes: number;
  /** Why nothing can be kept or read at this moment, for people. */
  problem?: string;
}
