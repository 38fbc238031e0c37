import { asRemoteError } from "../../wire/remoteError";
import type { XmlRpcValue } from "../../wire/value";

/** What a running job says of itself. */
export interface JobProgressReport {
  done: number;
  total: number;
}

/** What a minion says about one of its jobs. */
export type JobAnswer =
  | { kind: "running"; progress?: JobProgressReport }
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

/**
 * Reads the answer to jobs.job_status or jobs.wait: a pair, with the progress of a running job where it was asked
 * for, or an error of 2, 3 or 4 items.
 */
export function readJobAnswer(value: XmlRpcValue): JobAnswer {
  const error = asRemoteError(value);
  if (error) {
    if (UNKNOWN_METHOD.test(error.type)) return { kind: "no-such-method" };
    return { kind: error.type === "lost job" ? "lost" : "error", value };
  }
  if (!Array.isArray(value)) return { kind: "error", value };
  const progress = value.length === 3 && value[0] === RUNNING ? readProgress(value[2]) : undefined;
  if (progress) return { kind: "running", progress };
  if (value.length !== 2) return { kind: "error", value };
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

/** Reads `[done, total]`, as jobs.get_progress answers it too; undefined for anything else. */
export function readProgress(value: XmlRpcValue | undefined): JobProgressReport | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [done, total] = value;
  const areCounts = Number.isSafeInteger(done) && Number.isSafeInteger(total);
  return areCounts ? { done: Number(done), total: Number(total) } : undefined;
}
