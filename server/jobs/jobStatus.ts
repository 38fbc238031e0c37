import {
  FINAL_STATES,
  JOB_ID_FINISHED,
  JOB_ID_LOST_IN_SPACE,
  JOB_ID_PARTIAL,
  type JobCode,
  type MinionResult,
} from "../protocol/jobs";
import type { JsonValue } from "../protocol/value";
import { REMOTE_ERROR } from "../wire/remoteError";
import type { Job } from "./job";

export interface JobStatus {
  code: JobCode;
  results: { [minion: string]: JsonValue } | null;
}

/** The answer that a client of the original knows: results are undefined (null) for codes 0 and 2. */
export function jobStatus(job: Job | undefined): JobStatus {
  if (!job) return { code: JOB_ID_LOST_IN_SPACE, results: null };
  const { code } = job.summary();
  if (code !== JOB_ID_PARTIAL && code !== JOB_ID_FINISHED) return { code, results: null };
  const results: { [minion: string]: JsonValue } = {};
  for (const result of job.results()) {
    if (FINAL_STATES.has(result.state)) results[result.minion] = plainResult(result);
  }
  return { code, results };
}

function plainResult({ value, error }: MinionResult): JsonValue {
  if (!error) return value ?? null;
  return [REMOTE_ERROR, error.type, error.message, error.trace];
}
