import { asRemoteError } from "../wire/remoteError";
import type { XmlRpcValue } from "../wire/value";

/** What a minion says about one of its jobs. */
export type JobAnswer =
  | { kind: "running" }
  | { kind: "finished"; value: XmlRpcValue }
  | { kind: "lost" }
  /** It does not have the method that was asked. */
  | { kind: "no-such-method" }
  /** The question itself failed there. */
  | { kind: "error"; value: XmlRpcValue };

const RUNNING = 0;
const FINISHED = 1;
const LOST = 2;
const PARTIAL = 3;
const UNKNOWN_METHOD = /InvalidMethodException|ModuleNotFoundException/;

/** Reads the answer to jobs.job_status or jobs.wait: a pair, or an error of 2, 3 or 4 items. */
export function readJobAnswer(value: XmlRpcValue): JobAnswer {
  const error = asRemoteError(value);
  if (error) {
    if (UNKNOWN_METHOD.test(error.type)) return { kind: "no-such-method" };
    return { kind: error.type === "lost job" ? "lost" : "error", value };
  }
  if (!Array.isArray(value) || value.length !== 2) return { kind: "error", value };
  const [code, result = null] = value;
  switch (code) {
    case RUNNING:
    case PARTIAL:
      return { kind: "running" };
    case FINISHED:
      return { kind: "finished", value: result };
    case LOST:
      return { kind: "lost" };
    default:
      return { kind: "error", value };
  }
}
