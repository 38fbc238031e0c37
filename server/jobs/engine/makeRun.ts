import type { XmlRpcValue } from "../../wire/value";
import type { Job } from "../job";
import type { JobRecord } from "../store/storeTypes";
import type { JobRun } from "./jobRun";
import { stepping } from "./runSteps";

/** What calls have where nothing else was asked for. */
export interface CallDefaults {
  nforks: number;
  /** True where a person chose it. */
  nforksGiven: boolean;
  /** Limit for starting an async call. */
  deliveryTimeoutMs: number;
  timeoutMs: number;
}

/** A run of the job by what is on record, without minions so far. */
export function makeRun(
  job: Job,
  record: JobRecord,
  params: XmlRpcValue[],
  { deliveryTimeoutMs, timeoutMs }: CallDefaults,
): JobRun {
  const { deliveryLimitMs, above } = record;
  return {
    job,
    record,
    minions: [],
    behind: [],
    ...(above && { above }),
    ...stepping(record, job),
    method: `${record.module}.${record.method}`,
    params,
    nforks: record.nforks,
    keepPlaces: record.keepPlaces,
    // an async call's own limit is for the work; starting it must not take long
    timeoutMs: record.async ? deliveryTimeoutMs : (record.timeoutMs ?? timeoutMs),
    runLimitMs: record.async ? record.timeoutMs : undefined,
    deliverUntilMs: deliveryLimitMs === undefined ? undefined : performance.now() + deliveryLimitMs,
    secret: record.args === undefined,
    past: new Map(),
    incomplete: false,
  };
}
