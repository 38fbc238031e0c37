import type { ErrorReason } from "../../common/errors";
import type { JobHistoryEvent, JobPage, JobQuery, JobSummary } from "../../protocol/jobs";
import type { OutputRef } from "../../protocol/outputs";
import type { JobRecord, StoredResult, StoreUsage, UnfinishedJob } from "./storeTypes";

/** What is kept at most; what is beyond goes, oldest finished jobs first. Running jobs always stay. */
export interface StoreLimits {
  /** After the job's end; an hour at least. */
  keepMs: number;
  keepJobs: number;
  /** Of databases and output logs. */
  keepBytes: number;
}

/** What the worker is started with. */
export interface StoreWorkerData {
  /** Of the databases; made where it is missing. Nobody else may write there but for the journal. */
  folder: string;
  limits: StoreLimits;
  /** `sql-wasm.wasm` of sql.js. */
  wasmFile: string;
  /** Most bytes of the databases that are in memory only to be read. */
  memoryBytes?: number;
}

export interface StoreOpened {
  /** All databases contain what was applied up to this number: the journal is replayed from the next one on. */
  appliedSeq: number;
  /** The highest number that any database contains. New ones must be higher. */
  lastSeq: number;
  /** Sentences for people: files that were damaged and set aside, and what is lost with them. */
  problems: string[];
}

/** One slice of a search over all jobs. */
export interface StoreSearch {
  /** Found in values and errors that the databases hold; one for each minion, in the job's order. */
  matches: { jobId: string; minion: string; line: string }[];
  /** No match so far, but more of the result is in files. */
  candidates: { jobId: string; minion: string; outputs: OutputRef[] }[];
  /** Jobs searched since the search began. */
  searched: number;
  /** Absent at the end. */
  next?: string;
}

/**
 * What the store's worker does, by name. Requests are answered in the order in which they came, so that a
 * query sees all that was applied before it. Failures are FuncErrors: "bad-data" where a damaged file is in
 * the way, "unavailable" where the disk is.
 */
export interface StoreRequests {
  /** Loads what is there. The first request, and once only. */
  open: { params: object; result: StoreOpened };
  /**
   * `events` are JobEvents as JSON in UTF-8, one a line; `seq` is the number of this record of the journal,
   * higher than all before. What a database already contains is left out, and an event of an unknown job does nothing.
   * Nothing is written to the disk but outputs.
   */
  apply: { params: { seq: number; events: Uint8Array }; result: object };
  /**
   * Writes all databases that have changed. Afterwards the journal is no longer needed up to `seq`. Rejects with
   * "unavailable" where the disk is full, read-only or fails: the journal has to be kept, and this asked again later.
   */
  checkpoint: { params: object; result: { seq: number } };
  /** Forgets what is beyond the limits now; the worker does it by itself every few minutes. */
  retain: { params: object; result: { forgotten: string[] } };

  find: { params: { jobId: string }; result: JobSummary | undefined };
  record: { params: { jobId: string }; result: JobRecord | undefined };
  list: { params: { query: JobQuery; limit: number; cursor?: string }; result: JobPage };
  results: { params: { jobId: string; from: number; limit: number }; result: StoredResult[] };
  attempts: { params: { jobId: string; minion: string }; result: StoredResult[] };
  history: {
    params: { jobId: string; from: number; limit: number };
    result: { events: JobHistoryEvent[]; total: number };
  };
  unfinished: { params: object; result: UnfinishedJob[] };
  heldOutputs: { params: object; result: { jobId: string; sha256: string[] }[] };
  /** Without the journal. */
  usage: { params: object; result: StoreUsage };
  /** Searches for a tenth of a second, newest job first, then tells by `next` where to go on. */
  searchSlice: {
    params: { text: string; matchCase?: boolean; query: JobQuery; cursor?: string };
    result: StoreSearch;
  };
  /** A checkpoint where one is possible; the worker ends in any case. */
  close: { params: object; result: { seq?: number } };
}

export type StoreMethod = keyof StoreRequests;

/** To the worker. */
export interface StoreRequest<Method extends StoreMethod = StoreMethod> {
  id: number;
  method: Method;
  params: StoreRequests[Method]["params"];
}

/** From the worker. */
export type StoreMessage =
  | { kind: "answer"; id: number; result: unknown }
  | {
      kind: "failure";
      id: number;
      error: { reason: ErrorReason; message: string; nextStep?: string };
    }
  /** Retention let go of them; their outputs in files are not referred to any more. */
  | { kind: "forgotten"; jobIds: string[] }
  /** For the log. */
  | { kind: "problem"; message: string };
