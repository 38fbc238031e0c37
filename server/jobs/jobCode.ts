import {
  FINAL_STATES,
  JOB_ID_FINISHED,
  JOB_ID_PARTIAL,
  JOB_ID_RUNNING,
  type JobCode,
  type JobSummary,
  type MinionCallState,
} from "../protocol/jobs";

/** The seed's code: RUNNING until there is a first result, or all are started, whichever is first. */
export function codeOf({
  finished,
  async,
  counts,
}: Pick<JobSummary, "finished" | "async" | "counts">): JobCode {
  if (finished) return JOB_ID_FINISHED;
  const states = Object.keys(counts) as MinionCallState[];
  if (states.some((state) => FINAL_STATES.has(state))) return JOB_ID_PARTIAL;
  const isStarted = (state: MinionCallState): boolean =>
    state !== "queued" && !(async && state === "sent");
  return states.every(isStarted) ? JOB_ID_PARTIAL : JOB_ID_RUNNING;
}
