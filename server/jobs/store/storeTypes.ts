import type { ResultReceipt, SignedCall, TargetProof } from "../../protocol/delegation";
import type {
  BatchPlan,
  JobHistoryEvent,
  JobPage,
  JobQuery,
  JobSummary,
  LaterWord,
  MinionResult,
} from "../../protocol/jobs";
import type { OutputRef } from "../../protocol/outputs";
import type { JobStoreStatus } from "../../protocol/overlord";
import type { JsonValue } from "../../protocol/value";
import type { DigestPeer } from "../resultDigest";
import type { StoreRequests, StoreSearch } from "./workerProtocol";

/** A minion of a job. */
export interface JobMinion extends DigestPeer {
  /** Where it stands behind sub-overlords: their names, then its own there. */
  path?: readonly string[];
  /** hex SHA-256 of its key, where it is known; of minions behind sub-overlords. */
  identity?: string;
}

/** Of a job that another overlord asked for. */
export interface JobAbove {
  /** The overlord that signed the call. */
  originator: string;
  /** Who asked for it here: the name in its certificate. */
  by: string;
  /** What is called, as the originator signed it. Absent in the store where the arguments are secret. */
  call?: SignedCall;
  /** By the names of the job's minions. */
  targets: Readonly<Record<string, AboveTarget>>;
}

/** A host's place in the call of an overlord above. */
export interface AboveTarget {
  /** The call's own id on that host, over whatever path it comes. */
  callId: string;
  identity?: string;
  proof: TargetProof;
}

/** What a job was started with: enough to go on with it in another overlord process. */
export interface JobRecord {
  id: string;
  spec: string;
  exclude?: string;
  module: string;
  method: string;
  /** As they were given; absent where one of them is declared secret: those are written nowhere. */
  args?: JsonValue[];
  argsText: string;
  async: boolean;
  createdAtMs: number;
  startedBy?: JobSummary["startedBy"];
  nforks: number;
  /** Calls that run keep their places. */
  keepPlaces: boolean;
  /** Limit of a call, or for the work of an async one; absent for none. */
  timeoutMs?: number;
  deliveryLimitMs?: number;
  batch?: BatchPlan;
  /** Names of those that go first in a batch, as its expression was understood at the start. */
  canaries?: readonly string[];
  maxErrors?: number;
  /** Minions behind sub-overlords are meant too, by this map where it is another than the overlord's own. */
  delegate?: boolean;
  mapFile?: string;
  /** What was wrong with the map at the start. */
  warning?: string;
  /** Minions behind a hop have ended before that hop itself is called. */
  childrenFirst?: boolean;
  above?: JobAbove;
  /** In the job's order, in which results are listed. */
  minions: readonly JobMinion[];
}

/** A minion's part of a job as it is kept: whole, but for outputs, which stand in the value as references. */
export interface StoredResult extends MinionResult {
  /** From 1. */
  attempt: number;
  /** Bytes of the value's JSON; 0 where there is none. */
  valueBytes: number;
  /** All outputs that the value refers to, directly or in another output; heads are empty. */
  outputs: readonly OutputRef[];
  /** When the state came about. */
  atMs: number;
  /** What the host itself signed of it. */
  receipt?: ResultReceipt;
  /** The hop that has its job (`minionJobId`) may tell later how it ended, and is still to be asked. */
  awaitsWord?: boolean;
}

/** A hop beside the one by which a call goes on that may have begun it as well, in a job of its own. */
export interface Doubt {
  hop: string;
  /** Absent where there is no job to ask for, or to be stopped. */
  hopJobId?: string;
}

/** What happens to jobs, in order. The journal is a list of these; a repeat of one changes nothing. */
export type JobEvent =
  | { kind: "created"; job: JobRecord }
  /** The call is about to be sent to a minion that cannot tell a repeat: without an answer it may have run. */
  | { kind: "sent"; jobId: string; minion: string; attempt: number; atMs: number }
  /** Of async calls: the minion runs it under its own id. */
  | {
      kind: "started";
      jobId: string;
      minion: string;
      attempt: number;
      atMs: number;
      minionJobId: string;
    }
  /** Of minions behind a sub-overlord: it has the call for all of them, as one job of its own. */
  | {
      kind: "started-behind";
      jobId: string;
      minions: readonly string[];
      attempt: number;
      atMs: number;
      hopJobId: string;
      /** Minions with the way that was taken, the hop first, where it is another than in the job's record. */
      paths?: readonly (readonly [minion: string, path: readonly string[]])[];
    }
  /** Another hop may have begun it for these; or, `isOver`, it has been told all, and asked, after they had ended. */
  | ({
      kind: "doubted";
      jobId: string;
      minions: readonly string[];
      attempt: number;
      isOver?: boolean;
    } & Doubt)
  /** A final state. */
  | { kind: "ended"; jobId: string; result: StoredResult }
  /** The minion has been told that its result is kept here; or that its work is to stop, and what became of it is known. */
  | { kind: "told"; jobId: string; minion: string; attempt: number; what: "kept" | "cancel" }
  /** How an attempt that has ended here had ended there, as it was told since. */
  | { kind: "later"; jobId: string; minion: string; attempt: number; later: LaterWord }
  /** `minions` get `attempt`, and are queued again; the job runs again. */
  | { kind: "retried"; jobId: string; atMs: number; minions: readonly string[]; attempt: number }
  /** Of the job as a whole. "finished" closes it: every minion has a final state. */
  | {
      kind: "noted";
      jobId: string;
      atMs: number;
      event: "cancel-requested" | "resumed" | "stopped" | "finished";
      cause?: string;
    }
  | { kind: "deleted"; jobId: string };

/** A job of an earlier process that has not finished, or whose minions have not been told all. */
export interface UnfinishedJob {
  job: JobRecord;
  cancelRequested: boolean;
  /** True where only `told` events are missing. */
  finished: boolean;
  /** Events may be lost to damage of the disk: a minion that looks as if it was not called may have been. */
  incomplete?: boolean;
  /** The latest attempt of each minion, in the job's order. */
  minions: readonly UnfinishedMinion[];
}

export interface UnfinishedMinion {
  minion: string;
  attempt: number;
  /** Present where it was sent without a call id to ask by. */
  sentAtMs?: number;
  startedAtMs?: number;
  minionJobId?: string;
  /** The way that the call took, where it is another than in the job's record. */
  path?: readonly string[];
  /** Hops that may have begun it besides; of what has ended, those that are to stop it or to tell its end. */
  doubts?: readonly Doubt[];
  /** Present where it ended. */
  result?: StoredResult;
  toldKept?: boolean;
  toldCancel?: boolean;
}

export type StoreUsage = JobStoreStatus;

export type StoreSearchParams = StoreRequests["searchSlice"]["params"];

/** The jobs of this overlord on the disk. Only the owner of the data directory's lock may have one. */
export interface JobStore {
  /**
   * Durable when it settles: many callers share one write to the disk. Rejects with FuncError "unavailable"
   * where the disk is full, read-only or fails; then none of the events has happened.
   */
  append(events: readonly JobEvent[]): Promise<void>;
  /** Like `append`, but in its own time (a second at most); for what a crash may lose. Never throws. */
  note(events: readonly JobEvent[]): void;

  /** Undefined where it is not kept (any more). */
  find(jobId: string): Promise<JobSummary | undefined>;
  /** What it was started with; undefined where it is not kept. */
  record(jobId: string): Promise<JobRecord | undefined>;
  /** Newest first. Throws FuncError "bad-argument" for a cursor that is none. */
  list(query: JobQuery, limit: number, cursor?: string): Promise<JobPage>;
  /** The latest attempt of at most `limit` minions, from place `from` in the job's order. */
  results(jobId: string, from: number, limit: number): Promise<StoredResult[]>;
  /** All attempts of one minion, oldest first; empty where it is not part of the job. */
  attempts(jobId: string, minion: string): Promise<StoredResult[]>;
  history(
    jobId: string,
    from: number,
    limit: number,
  ): Promise<{ events: JobHistoryEvent[]; total: number }>;
  /** A tenth of a second's search in values and errors of the jobs of `query`, newest job first. */
  searchSlice(search: StoreSearchParams): Promise<StoreSearch>;
  /** For the overlord's start. */
  unfinished(): Promise<UnfinishedJob[]>;
  /** For the overlord's start: the outputs in files (SHA-256 in hex) that each job refers to. */
  heldOutputs(): Promise<{ jobId: string; sha256: string[] }[]>;
  /** Of databases, journal and small outputs. Never rejects: `problem` says what is wrong. */
  usage(): Promise<StoreUsage>;
  /** What retention no longer keeps was forgotten: by age, number or bytes. */
  onForgotten(listener: (jobIds: readonly string[]) => void): void;
  /** Writes all and lets go of the files. */
  close(): Promise<void>;
}
