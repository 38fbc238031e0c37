import { FuncError } from "../../server/common/errors";
import type { ByteSource } from "./byteSource";
import { resultParts, type ResultReader } from "./resultParts";
import { utf8Border } from "./utf8Border";

/** A range of an output as text. */
export interface OutputWindow {
  /** Bytes that are no UTF-8 show as U+FFFD. */
  text: string;
  /** Where it begins: the asked offset, or up to 3 bytes before it, where a character begins. */
  offset: number;
  /** Where the next window begins; equal to `totalBytes` after the last one. */
  nextOffset: number;
  totalBytes: number;
}

/** The most that one window has. */
export const MAX_WINDOW_BYTES = 4 * 1024 * 1024;
/** A character has at most four bytes: what has to be seen before a border. */
const LOOK_BACK = 3;

/**
 * A window of `length` bytes (at most MAX_WINDOW_BYTES) on one section of a minion's result: "stdout" or
 * "stderr" of command.run, "value" of any other call, or another key of `resultParts`. Throws FuncError
 * "not-found" where there is no such section, and as the requests do.
 */
export async function resultWindow(
  session: ResultReader,
  jobId: string,
  minion: string,
  section: string,
  offset: number,
  length: number,
  signal?: AbortSignal,
): Promise<OutputWindow> {
  const result = await session.request("jobs/result", { jobId, minion }, { signal });
  const isCommand = section === "stdout" || section === "stderr" || section === "exitStatus";
  const part = (await resultParts(session, result, isCommand)).find(({ key }) => key === section);
  if (!part) {
    throw new FuncError("not-found", `The result of ${minion} has no part "${section}".`);
  }
  return windowOf(part.source, offset, length, signal);
}

/** A window on `source`; both its ends are between characters. */
export async function windowOf(
  source: ByteSource,
  offset: number,
  length: number,
  signal?: AbortSignal,
): Promise<OutputWindow> {
  const totalBytes = source.bytes;
  const wanted = Math.max(0, Math.min(Math.trunc(offset), totalBytes));
  // at least one character, so that each window gets further
  const size = Math.max(LOOK_BACK + 1, Math.min(Math.trunc(length), MAX_WINDOW_BYTES));
  const first = Math.max(0, wanted - LOOK_BACK);
  const end = Math.min(totalBytes, wanted + size);
  const bytes = await source.read(first, end - first, signal);
  const from = utf8Border(bytes, wanted - first);
  const to = end === totalBytes ? bytes.length : utf8Border(bytes, bytes.length);
  return {
    text: new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(from, to)),
    offset: first + from,
    nextOffset: first + to,
    totalBytes,
  };
}
