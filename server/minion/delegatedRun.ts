import type { DelegatedResult, PlainDelegatedRequest } from "../protocol/delegation";
import { MAX_OUTPUT_READ_BYTES, outputRefOf, type OutputRef } from "../protocol/outputs";
import type { JsonValue } from "../protocol/value";
import { fromJson } from "../wire/jsonValue";
import { remoteError } from "../wire/remoteError";
import type { XmlRpcStruct, XmlRpcValue } from "../wire/value";
import { MAX_ANSWER_BYTES } from "./answerSize";
import type { SubOverlord } from "./subOverlord";

const WAIT_MS = 25_000;
/** How much later than its wait the overlord may answer. */
const GRACE_MS = 30_000;
const START_TIMEOUT_MS = 120_000;
const CANCEL_TIMEOUT_MS = 10_000;
/** Of all large parts of one answer, whatever they become in the document. */
const MOST_LARGE_BYTES = MAX_ANSWER_BYTES / 5;

/**
 * Has the overlord of this host make the call, and waits for all of it. Answers each host's result, or what went
 * wrong there as the REMOTE_ERROR array. Where the signal aborts, the call is cancelled. Throws MethodError.
 */
export async function runDelegated(
  overlord: SubOverlord,
  request: PlainDelegatedRequest,
  by: string,
  signal: AbortSignal,
): Promise<XmlRpcStruct> {
  const start = { signal, timeoutMs: START_TIMEOUT_MS };
  const { jobId } = await overlord.request("delegation/run", { request, by }, start);
  const job = { jobId, by };
  try {
    const results = new Map<string, DelegatedResult>();
    for (let cursor = "", finished = false; !finished;) {
      const params = { ...job, cursor, waitMs: WAIT_MS };
      const bounds = { signal, timeoutMs: WAIT_MS + GRACE_MS };
      const progress = await overlord.request("delegation/collect", params, bounds);
      for (const result of progress.results) results.set(result.callId, result);
      ({ cursor, finished } = progress);
    }
    return await structOf([...results.values()], new LargeParts(overlord, job, signal));
  } catch (error) {
    const limit = AbortSignal.timeout(CANCEL_TIMEOUT_MS);
    await overlord.request("delegation/cancel", job, { signal: limit }).catch(() => undefined);
    throw error;
  }
}

async function structOf(
  results: readonly DelegatedResult[],
  parts: LargeParts,
): Promise<XmlRpcStruct> {
  const struct = Object.create(null) as XmlRpcStruct;
  for (const result of results) {
    const { minion, via = [], value, error } = result;
    // two hosts of one name behind different hops
    const name = minion in struct ? [minion, via.at(-1)].join("@") : minion;
    if (value !== undefined) struct[name] = await parts.valueOf(minion, value);
    else if (error) struct[name] = remoteError(error.type, error.message, error.trace);
  }
  return struct;
}

/** Reads what results have in files. */
class LargeParts {
  #room = MOST_LARGE_BYTES;

  constructor(
    private readonly overlord: SubOverlord,
    private readonly job: { jobId: string; by: string },
    private readonly signal: AbortSignal,
  ) {}

  /** The whole value, or as an error that it is too large for one answer. */
  async valueOf(minion: string, value: JsonValue): Promise<XmlRpcValue> {
    const whole = await this.#fill(value);
    if (whole !== undefined) return fromJson(whole);
    const message = `${minion}: the results of this call are too large for one answer`;
    return remoteError("func.too-large", message);
  }

  /** Undefined where there is no room for it. */
  async #fill(value: JsonValue): Promise<JsonValue | undefined> {
    if (typeof value !== "object" || value === null) return value;
    const ref = outputRefOf(value);
    if (ref) return this.#read(ref);
    if (Array.isArray(value)) {
      const items: JsonValue[] = [];
      for (const item of value) {
        const whole = await this.#fill(item);
        if (whole === undefined) return undefined;
        items.push(whole);
      }
      return items;
    }
    const members: [string, JsonValue][] = [];
    for (const [name, member] of Object.entries(value)) {
      const whole = await this.#fill(member);
      if (whole === undefined) return undefined;
      members.push([name, whole]);
    }
    return Object.fromEntries(members);
  }

  async #read({ sha256, bytes, kind }: OutputRef): Promise<JsonValue | undefined> {
    if (bytes > this.#room) return undefined;
    this.#room -= bytes;
    const chunks: Buffer[] = [];
    for (let offset = 0; offset < bytes;) {
      const params = { ...this.job, sha256, offset, length: MAX_OUTPUT_READ_BYTES };
      const part = await this.overlord.request("delegation/readValue", params, {
        signal: this.signal,
      });
      const chunk = Buffer.from(part.base64, "base64");
      if (chunk.length === 0) return undefined;
      chunks.push(chunk);
      offset += chunk.length;
    }
    const whole = Buffer.concat(chunks);
    if (kind === "bytes") return { $base64: whole.toString("base64") };
    const text = whole.toString("utf8");
    return kind === "text" ? text : this.#fill(JSON.parse(text) as JsonValue);
  }
}
