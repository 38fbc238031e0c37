import type { ResultReceipt } from "../../protocol/delegation";
import type { MinionCallState, MinionResult } from "../../protocol/jobs";
import type { OutputRef } from "../../protocol/outputs";
import type { SqlValue } from "./database";
import type { Doubt, StoredResult } from "./storeTypes";

/** In databases a state is its place in this list: only ever add to its end. */
const STATES: readonly MinionCallState[] = [
  "queued",
  "sent",
  "running",
  "succeeded",
  "failed",
  "unreachable",
  "timed-out",
  "cancelled",
  "denied",
  "lost",
  "skipped",
  "expired",
];

export const QUEUED = 0;
export const SENT = 1;
export const RUNNING = 2;

/** Of `flags`. */
export const TOLD_KEPT = 1;
export const TOLD_CANCEL = 2;
export const CANCEL_PENDING = 4;
export const HAS_MINION_JOB = 8;
export const MAY_HAVE_RUN = 16;
/** A command that ended with an exit status other than 0. */
export const FAILED_COMMAND = 32;
/** Its hop may tell how it ended. */
export const AWAITS_WORD = 64;
/** There are `doubts` in the detail. */
export const DOUBTED = 128;

export function stateCode(state: MinionCallState): number {
  return STATES.indexOf(state);
}

export function stateOf(code: number): MinionCallState {
  return STATES[code] ?? "lost";
}

export function isFinal(code: number): boolean {
  return code > RUNNING;
}

/** What a row has no columns for: equal where results are equal, so that it is kept once a day where it is large. */
export interface ResultDetail {
  value?: MinionResult["value"];
  error?: MinionResult["error"];
  excerpt?: string;
  progress?: MinionResult["progress"];
  outputs?: readonly OutputRef[];
  via?: MinionResult["via"];
  signed?: MinionResult["signed"];
  failedHop?: string;
  receipt?: ResultReceipt;
  later?: MinionResult["later"];
  /** Only while it runs: the way that it took, where it is another than on record. */
  path?: readonly string[];
  /** What has ended has them only where it was cancelled or lost. */
  doubts?: readonly Doubt[];
}

/** As text; undefined where there is nothing. */
export function detailText(
  result: StoredResult,
  doubts: readonly Doubt[] = [],
): string | undefined {
  const { value, error, excerpt, progress, outputs, via, signed, failedHop, receipt, later } =
    result;
  const detail: ResultDetail = {
    value,
    error,
    excerpt,
    progress,
    ...(outputs.length > 0 && { outputs }),
    via,
    signed,
    failedHop,
    receipt,
    later,
    ...(doubts.length > 0 && { doubts }),
  };
  const text = JSON.stringify(detail);
  return text === "{}" ? undefined : text;
}

/** The columns that `rowOf` reads, in its order. */
export const ROW_COLUMNS =
  "place, attempt, state, flags, queued_at, sent_at, running_at, began_at, ended_at, duration, " +
  "exit_status, value_bytes, minion_job, digest, detail, hash";

/** One attempt of one minion, times as they are. */
export interface ResultRow {
  place: number;
  attempt: number;
  state: number;
  flags: number;
  queuedAtMs?: number;
  sentAtMs?: number;
  runningAtMs?: number;
  beganAtMs?: number;
  endedAtMs?: number;
  durationMs?: number;
  exitStatus?: number;
  valueBytes: number;
  minionJobId?: string;
  digest?: string;
  /** As JSON, where it is small. */
  detail?: string;
  /** Of the detail in the log, where it is large. */
  hash?: Uint8Array;
}

export function rowOf(values: readonly SqlValue[], createdAtMs: number): ResultRow {
  const number = (at: number): number | undefined => {
    const value = values[at];
    return typeof value === "number" ? value : undefined;
  };
  const time = (at: number): number | undefined => {
    const value = values[at];
    return typeof value === "number" ? createdAtMs + value : undefined;
  };
  const text = (at: number): string | undefined => {
    const value = values[at];
    return typeof value === "string" ? value : undefined;
  };
  const hash = values[15];
  return {
    place: number(0) ?? 0,
    attempt: number(1) ?? 1,
    state: number(2) ?? QUEUED,
    flags: number(3) ?? 0,
    queuedAtMs: time(4),
    sentAtMs: time(5),
    runningAtMs: time(6),
    beganAtMs: time(7),
    endedAtMs: time(8),
    durationMs: number(9),
    exitStatus: number(10),
    valueBytes: number(11) ?? 0,
    minionJobId: text(12),
    digest: text(13),
    detail: text(14),
    hash: hash instanceof Uint8Array ? hash : undefined,
  };
}

/** The attempt as it stands; `detail` is that of the row, wherever it was kept. */
export function resultOf(
  row: ResultRow,
  minion: string,
  createdAtMs: number,
  detail: ResultDetail,
): StoredResult {
  const { attempt, valueBytes, minionJobId } = row;
  const known = {
    minion,
    state: stateOf(row.state),
    attempt,
    valueBytes,
    ...(minionJobId !== undefined && { minionJobId }),
  };
  if (!isFinal(row.state)) {
    const startedAtMs = row.sentAtMs ?? row.runningAtMs;
    const atMs = row.runningAtMs ?? row.sentAtMs ?? row.queuedAtMs ?? createdAtMs;
    const started = startedAtMs !== undefined && { startedAtMs };
    return { ...known, outputs: [], atMs, ...started };
  }
  const {
    value,
    error,
    excerpt,
    progress,
    outputs = [],
    via,
    signed,
    failedHop,
    receipt,
    later,
  } = detail;
  return {
    ...known,
    outputs,
    atMs: row.endedAtMs ?? createdAtMs,
    ...(value !== undefined && { value }),
    ...(error && { error }),
    ...(excerpt !== undefined && { excerpt }),
    ...(progress && { progress }),
    ...(via && { via }),
    ...(signed && { signed }),
    ...(failedHop !== undefined && { failedHop }),
    ...(receipt && { receipt }),
    ...(later && { later }),
    ...(row.exitStatus !== undefined && { exitStatus: row.exitStatus }),
    ...(row.digest !== undefined && { digest: row.digest }),
    ...(row.beganAtMs !== undefined && { startedAtMs: row.beganAtMs }),
    ...(row.durationMs !== undefined && { durationMs: row.durationMs }),
    ...(row.flags & MAY_HAVE_RUN && { mayHaveRun: true }),
    ...(row.flags & CANCEL_PENDING && { cancelPending: true }),
    ...(row.flags & AWAITS_WORD && { awaitsWord: true }),
  };
}
