import { createHash } from "node:crypto";
import type { JobAbove } from "./store/storeTypes";

/** Ids travel with every message and stand in views; a spec can name thousands of hosts. */
const MAX_SPEC_LENGTH = 120;
/** No overlord, and no minion, is asked about a longer one. */
const MAX_JOB_ID_LENGTH = 1_000;

let lastMicros = 0;

/**
 * A new overlord job id, as the original forms it: spec, module, method and the time in seconds, joined
 * by "-" ("-" inside the first three becomes "_"). Never the same twice in one process.
 */
export function createJobId(
  spec: string,
  module: string,
  method: string,
  nowMs = Date.now(),
): string {
  lastMicros = Math.max(Math.floor(nowMs * 1_000), lastMicros + 1);
  const seconds = Math.floor(lastMicros / 1_000_000);
  const micros = String(lastMicros % 1_000_000).padStart(6, "0");
  const parts = [shorten(spec), module, method].map((part) => part.replaceAll("-", "_"));
  return `${parts.join("-")}-${seconds}.${micros}`;
}

/** Whether what another overlord, or a minion, answers can be the id of a job there. */
export function isJobId(answer: unknown): answer is string {
  return typeof answer === "string" && answer !== "" && answer.length <= MAX_JOB_ID_LENGTH;
}

/** Why an answer is none: what it was asked to start may have run. */
export function noJobIdText(answer: unknown): string {
  const isLong = typeof answer === "string" && answer !== "";
  const what = isLong
    ? `with a job id of ${answer.length} characters, ${MAX_JOB_ID_LENGTH} are the most`
    : "without a job id";
  return `it answered the start ${what}.`;
}

/** The `Func-Call` id of one attempt on one minion: 43 url-safe characters. */
export function callIdOf(jobId: string, minion: string, attempt = 1): string {
  return createHash("sha256").update(`${jobId}/${minion}/${attempt}`).digest("base64url");
}

/**
 * The call id of one attempt on one minion of the job. What an overlord above has asked for has its id from there, so
 * that the minion knows it over any path.
 */
export function callIdIn(
  { id, above }: { id: string; above?: JobAbove | undefined },
  minion: string,
  attempt = 1,
): string {
  return above?.targets[minion]?.callId ?? callIdOf(id, minion, attempt);
}

function shorten(spec: string): string {
  if (spec.length <= MAX_SPEC_LENGTH) return spec;
  const digest = createHash("sha256").update(spec).digest("hex").slice(0, 8);
  return `${spec.slice(0, MAX_SPEC_LENGTH - 12)}...${digest}`;
}
