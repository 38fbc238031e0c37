import type { ResultReceipt } from "../protocol/delegation";
import type { CallError, MinionResult } from "../protocol/jobs";
import type { OutputRef } from "../protocol/outputs";
import { excerptOf } from "./excerpt";
import type { DigestPeer } from "./resultDigest";
import type { StoredResult } from "./store/storeTypes";

/** Values and errors larger than this are left out of, or cut in, what is sent without being asked for. */
const MAX_SHOWN_BYTES = 16_384;
const MAX_SHOWN_TEXT = 4_096;
/** All values together in one answer with many results. */
const PAGE_VALUE_BYTES = 4_000_000;

/** One minion's part of a job as it is kept. */
export interface JobEntry {
  peer: DigestPeer;
  result: MinionResult;
  /** Bytes of the value's JSON; 0 where there is no value. */
  valueBytes: number;
  /** All outputs that the value refers to, directly or in another output. */
  outputs: readonly OutputRef[];
  /** What the host itself signed of the result. */
  receipt?: ResultReceipt;
  /** The hop that has its job may tell later how it ended. */
  awaitsWord?: boolean;
}

/** The result as it goes into notifications and lists: large parts left out. */
export function shownResult({ result, valueBytes }: JobEntry, withValue = true): MinionResult {
  const shown = { ...result };
  if (shown.value !== undefined && (valueBytes > MAX_SHOWN_BYTES || !withValue)) {
    shown.excerpt = excerptOf(shown.value, shown.exitStatus !== undefined);
    delete shown.value;
    shown.valueBytes = valueBytes;
  }
  if (shown.error) shown.error = cutError(shown.error);
  return shown;
}

/** Many results in one answer: the values of the first ones, as far as there is room. */
export function shownPage(entries: readonly JobEntry[]): MinionResult[] {
  let budget = PAGE_VALUE_BYTES;
  return entries.map((entry) => {
    budget -= entry.valueBytes;
    return shownResult(entry, budget >= 0);
  });
}

/** About how many bytes of JSON the shown result has. */
export function shownBytes({ result, valueBytes }: JobEntry): number {
  const value = valueBytes > MAX_SHOWN_BYTES ? 0 : valueBytes;
  const error = result.error
    ? Math.min(result.error.message.length, MAX_SHOWN_TEXT) +
      Math.min(result.error.trace.length, MAX_SHOWN_TEXT)
    : 0;
  return 150 + value + error;
}

/** As the store keeps it. */
export function storedResult(
  { result, valueBytes, outputs, receipt, awaitsWord }: JobEntry,
  atMs: number,
): StoredResult {
  const known = { ...result, attempt: result.attempt ?? 1, valueBytes, outputs, atMs };
  return { ...known, ...(receipt && { receipt }), ...(awaitsWord && { awaitsWord }) };
}

/** What the store kept. */
export function entryOf(
  stored: StoredResult,
  peer: DigestPeer = { name: stored.minion },
): JobEntry {
  const { valueBytes, outputs, attempt, receipt } = stored;
  const result: MinionResult & Partial<StoredResult> = { ...stored };
  // clients see none of these
  delete result.atMs;
  delete result.outputs;
  delete result.receipt;
  delete result.awaitsWord;
  delete result.valueBytes;
  if (attempt === 1) delete result.attempt;
  return { peer, result, valueBytes, outputs, ...(receipt && { receipt }) };
}

function cutError(error: CallError): CallError {
  const { message, trace } = error;
  if (Math.max(message.length, trace.length) <= MAX_SHOWN_TEXT) return error;
  return { ...error, message: cut(message), trace: cut(trace), cut: true };
}

function cut(text: string): string {
  return text.length > MAX_SHOWN_TEXT ? `${text.slice(0, MAX_SHOWN_TEXT)}...` : text;
}
