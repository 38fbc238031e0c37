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
import { entriesOf, type JobView } from "./jobView";
import type { ValueKeeper } from "./outputs/valueKeeper";

/** All values together in one answer; the others are outputs in it. */
const MAX_VALUE_BYTES = 16_000_000;
/** A value of this size takes no less as an output. */
const OUTPUT_BYTES = 400;

export interface JobStatus {
  code: JobCode;
  results: { [minion: string]: JsonValue } | null;
}

/**
 * The answer that a client of the original knows: results are undefined (null) for codes 0 and 2. Throws
 * FuncError "unavailable" where an output that the answer needs cannot be written.
 */
export async function jobStatus(job: JobView | undefined, keeper: ValueKeeper): Promise<JobStatus> {
  if (!job) return { code: JOB_ID_LOST_IN_SPACE, results: null };
  const { code } = job.summary();
  if (code !== JOB_ID_PARTIAL && code !== JOB_ID_FINISHED) return { code, results: null };
  const results: { [minion: string]: JsonValue } = {};
  const outputs = new Map<string | undefined, JsonValue>();
  let budget = MAX_VALUE_BYTES;
  for await (const { result, valueBytes } of entriesOf(job)) {
    if (!FINAL_STATES.has(result.state)) continue;
    let plain = plainResult(result);
    if (valueBytes > OUTPUT_BYTES && valueBytes > budget) {
      plain = outputs.get(result.digest) ?? (await keeper.asOutput(job.id, plain));
      outputs.set(result.digest, plain);
    } else {
      budget -= valueBytes;
    }
    results[result.minion] = plain;
  }
  return { code, results };
}

function plainResult({ value, error }: MinionResult): JsonValue {
  if (!error) return value ?? null;
  return [REMOTE_ERROR, error.type, error.message, error.trace];
}
