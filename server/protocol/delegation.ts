import type { MinionResult } from "./jobs";
import type { OutputRef } from "./outputs";
import type { JsonValue } from "./value";

/** A host of the delegation map as clients see it. */
export interface DelegationMapNode {
  /** As the overlord above it knows it. */
  name: string;
  /** hex SHA-256 of its public key (SPKI), where building the map, or its first signed result, has shown it. */
  identity?: string;
  children: DelegationMapNode[];
}

/** The map that calls are delegated by. */
export interface DelegationMapAnswer {
  file: string;
  nodes: DelegationMapNode[];
  /** Point in time of the file's last change. */
  changedAtMs: number;
  /** Why the file itself cannot be used, with its place: `nodes` is the last good map. */
  problem?: string;
}

/** Something in the text of a map. */
export interface MapProblem {
  /** From 1; 0 where there is no place. */
  line: number;
  column: number;
  /** How many characters it is about, from there. */
  length: number;
  /** With an error the map cannot be used, or some host at its top not be called. */
  severity: "error" | "warning";
  message: string;
}

export interface BuildMapParams {
  /** Adds to the map that is there, to every depth, instead of replacing it. */
  append?: boolean;
  /** Only hosts that answer test.ping. */
  onlyAlive?: boolean;
  /** For each host that is asked; 60,000 without. */
  timeoutMs?: number;
}

/** What asking one host for those behind it came to. */
export type MapProbeOutcome =
  /** A sub-overlord; its minions are its children. */
  | "overlord"
  /** A sub-overlord that has no minions (that are alive). */
  | "no-minions"
  | "not-an-overlord"
  /** Away, or it refused: what stands behind it is not known. */
  | "not-asked"
  /** An overlord that stands above itself; not followed. */
  | "cycle"
  | "too-deep";

/**
 * What the map was before a build: "last-good" where its file was damaged, "damaged" where there was no good copy of
 * it either.
 */
export type MapBefore = "good" | "last-good" | "damaged" | "none";

export interface MapBuildResult {
  file: string;
  /** What it is compared with, and where hosts behind those that could not be asked were taken from. */
  before: MapBefore;
  /** All entries of the new map. */
  hosts: number;
  /** Paths, from the top, of what is new and what is gone; what stands below one is not told again. */
  added: string[][];
  removed: string[][];
  /**
   * Hosts behind sub-overlords that have another key than the one on record. It is on record from now on, unless the map was
   * built by schedule.
   */
  rekeyed: string[][];
  /** Hosts about which something has to be said, some thousand at most. */
  problems: MapBuildProblem[];
  /** How many are not in `problems`. */
  moreProblems: number;
  /** Keys on record were damaged: those of the hosts found now were learnt anew. */
  warning?: string;
}

export interface MapBuildProblem {
  path: string[];
  outcome: MapProbeOutcome;
  message: string;
  nextStep?: string;
}

/** `map/building`, to the client that builds: minions of this overlord, and hosts known so far. */
export interface MapBuilding {
  asked: number;
  known: number;
}

/** How a host of the map stands, as far as this overlord has seen. */
export interface MapNodeState {
  /** From the top, the host itself last. */
  path: string[];
  state: "unknown" | "online" | "unreachable";
  problem?: string;
  lastSeenMs?: number;
  /** Jobs that run on it, or on hosts behind it. */
  running: number;
}

/** A call as its originator signed it: the bytes go on unchanged from hop to hop (server/pki/documents). */
export interface SignedCall {
  text: string;
  /** base64, over the bytes of `text`. */
  signature: string;
  /** base64 DER (SPKI) of the originator's key. */
  publicKey: string;
}

/** A leaf's place among those that a signed call is for. */
export interface TargetProof {
  /** From 0, and among how many. */
  index: number;
  count: number;
  /** base64 of the hashes beside it, from the bottom of the tree up. */
  hashes: string[];
}

/** A host that a delegated call is for. */
export interface DelegatedTarget {
  /** From the hop on that is asked (itself left out), the host itself last. */
  path: string[];
  /** Of (job, minion, attempt) at the originator: the same over any path, so that nothing runs twice. */
  callId: string;
  /** hex SHA-256 of its key, where the originator knows it: another host of the same name does not run it. */
  identity?: string;
  proof: TargetProof;
}

/** `delegation.start` of a sub-overlord's funcd, and `delegation/start` of its overlord. */
export interface DelegatedRequest {
  call: SignedCall;
  /** Target expression of the originator's job, for people. */
  spec: string;
  targets: DelegatedTarget[];
  /** Direct calls at the same time, at each overlord. */
  nforks: number;
  /** Somebody chose `nforks`: calls that run keep their places, however long they take. */
  keepPlaces?: boolean;
  /** Limits at the overlord that calls the host itself; of sync calls for the run, of async ones for the work. */
  timeoutMs?: number;
  deliveryLimitMs?: number;
  maxErrors?: number;
  /** The arguments are written nowhere. */
  secret?: boolean;
  /** Hosts behind a hop have ended before that hop itself is called. */
  childrenFirst?: boolean;
}

/** What `delegation.run` of the original asks for. */
export interface PlainDelegatedRequest {
  module: string;
  method: string;
  args: JsonValue[];
  /** From the hop on that is asked (itself left out), each host itself last. */
  paths: string[][];
  async: boolean;
  nforks: number;
  timeoutMs?: number;
}

/** A former key of a leaf, and its word for the one that came after it (server/pki/documents/keySuccession.ts). */
export interface KeySuccession {
  /** base64 DER (SPKI) of the former key. */
  publicKey: string;
  /** base64 */
  signature: string;
}

/** What a leaf signed of its result. */
export interface ResultReceipt {
  callId: string;
  /** base64 SHA-256 of the value (server/wire/valueDigest.ts). */
  digest: string;
  /** base64 DER (SPKI) of the leaf's key. */
  publicKey: string;
  /** base64 */
  signature: string;
  /** Where the leaf had other keys before, oldest first: each names the next one, the last of them `publicKey`. */
  succession?: KeySuccession[];
}

/** How one host of a delegated call stands, as its overlord tells upwards. `minion` is the last of its path there. */
export interface DelegatedResult extends MinionResult {
  callId: string;
  /** Of a value in files: all that it refers to, to be read by `delegation/readValue`. */
  outputs?: OutputRef[];
  /** In final states where the host itself gave an answer that it signed. */
  receipt?: ResultReceipt;
}

/** What has changed since the cursor. A host may come again; the last word counts. */
export interface DelegatedProgress {
  cursor: string;
  results: DelegatedResult[];
  /** True once every host has its final state, and all of them were told up to `cursor`. */
  finished: boolean;
}

/** What may be asked of a sub-overlord through its funcd, beside calls. */
export const REQUESTS_AT = [
  "overlord/status",
  "minions/list",
  "minions/describe",
  "certmaster/list",
  "certmaster/createToken",
  "certmaster/closeToken",
  "certmaster/setApproval",
  "certmaster/approve",
  "certmaster/deny",
] as const;

export type RequestAt = (typeof REQUESTS_AT)[number];
