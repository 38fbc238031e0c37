import { XmlRpcDateTime, XmlRpcDouble, XmlRpcSpooled, type XmlRpcValue } from "../wire/value";
import { FUNC_EXCEPTION, LOST, MethodError } from "./methodError";

const MAX_ENTRIES = 1_000;
const KEPT_MS = 10 * 60_000;
/** Results are kept for repeats up to this size together. */
const MAX_RESULT_BYTES = 64 * 1024 * 1024;

interface SyncCall {
  method: string;
  argumentsDigest: string;
  cancelling: AbortController;
  result: Promise<XmlRpcValue>;
  finishedAtMs?: number;
  bytes: number;
}

export interface SyncCallStart {
  /** See callOwner. */
  owner: string;
  /** Undefined for callers that have none: such a call can be neither repeated nor cancelled. */
  callId?: string;
  method: string;
  argumentsDigest: string;
}

/**
 * The sync calls that run or have lately ended, so that a repeat after a lost connection is answered
 * and not run again. Bounded: 1,000 ended calls, ten minutes, 64 MiB of results.
 */
export class SyncCalls {
  readonly #calls = new Map<string, SyncCall>();
  readonly #anonymous = new Set<AbortController>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Runs `work` (which never rejects), or answers what an earlier call with this id did. Throws MethodError where that was another call. */
  run(
    start: SyncCallStart,
    work: (signal: AbortSignal) => Promise<XmlRpcValue>,
  ): Promise<XmlRpcValue> {
    if (start.callId === undefined) return this.#runAnonymous(work);
    this.#expire();
    const key = callKey(start.owner, start.callId);
    const earlier = this.#calls.get(key);
    if (earlier) {
      if (earlier.method === start.method && earlier.argumentsDigest === start.argumentsDigest) {
        return earlier.result;
      }
      throw new MethodError(
        FUNC_EXCEPTION,
        `the call id of this ${start.method} was used for another call (${earlier.method})`,
      );
    }
    const cancelling = new AbortController();
    const { method, argumentsDigest } = start;
    const result = work(cancelling.signal);
    const call: SyncCall = { method, argumentsDigest, cancelling, result, bytes: 0 };
    this.#calls.set(key, call);
    void result.then((value) => {
      call.finishedAtMs = this.#now();
      call.bytes = sizeOf(value);
      this.#expire(); // a large one would stay until the next call
    });
    return result;
  }

  /** Asks a running call to end. False where none of this caller runs under this id. */
  cancel(callId: string, owner: string): boolean {
    const call = this.#calls.get(callKey(owner, callId));
    if (!call || call.finishedAtMs !== undefined) return false;
    call.cancelling.abort();
    return true;
  }

  /** What became of this caller's call, as far as it is known here. */
  state(callId: string, owner: string): "unknown" | "running" | "ended" {
    const call = this.#calls.get(callKey(owner, callId));
    if (!call) return "unknown";
    return call.finishedAtMs === undefined ? "running" : "ended";
  }

  async #runAnonymous(work: (signal: AbortSignal) => Promise<XmlRpcValue>): Promise<XmlRpcValue> {
    const cancelling = new AbortController();
    this.#anonymous.add(cancelling);
    try {
      return await work(cancelling.signal);
    } finally {
      this.#anonymous.delete(cancelling);
    }
  }

  #expire(): void {
    const ended = [...this.#calls].filter(([, call]) => call.finishedAtMs !== undefined).reverse();
    let bytes = 0;
    for (const [index, [key, call]] of ended.entries()) {
      bytes += call.bytes;
      const age = this.#now() - (call.finishedAtMs ?? 0);
      if (age > KEPT_MS || index >= MAX_ENTRIES) this.#calls.delete(key);
      else if (bytes > MAX_RESULT_BYTES && call.bytes > 0) {
        bytes -= call.bytes;
        call.bytes = 0;
        call.result = Promise.reject(
          new MethodError(
            LOST,
            `this ${call.method} has run, and its result is no longer kept; it was not run again`,
          ),
        );
        call.result.catch(() => undefined); // whoever asks gets it
      }
    }
  }
}

function callKey(owner: string, callId: string): string {
  return `${owner} ${callId}`;
}

/** About how much memory a value takes. */
function sizeOf(value: XmlRpcValue): number {
  if (typeof value === "string") return value.length * 2;
  if (value instanceof Uint8Array) return value.length;
  if (typeof value !== "object" || value === null) return 8;
  if (value instanceof XmlRpcDouble || value instanceof XmlRpcDateTime) return 32;
  if (value instanceof XmlRpcSpooled) return 32; // no method answers with one
  const parts = Array.isArray(value) ? value : Object.values(value);
  return parts.reduce<number>((sum, part) => sum + 16 + sizeOf(part), 16);
}
