import { FuncError } from "../../common/errors";
import { FINAL_STATES, isFailedCommand, type MinionResult } from "../../protocol/jobs";
import type { Job } from "../job";

/**
 * The minions that are to be called again: those named that have no result, or else all that failed and have
 * not run. Throws FuncError "not-found" for a name that is not part of the job, "conflict" where there is none.
 */
export function minionsToRetry(job: Job, names: readonly string[] | undefined): string[] {
  const results = names
    ? names.map((name) => job.entry(name).result)
    : job.page(0).map(({ result }) => result);
  const minions = results.filter((result) => mayBeCalled(result, names !== undefined));
  if (minions.length > 0) return [...new Set(minions.map(({ minion }) => minion))];
  const unsure = names ? 0 : results.filter((result) => mayBeCalled(result, true)).length;
  throw new FuncError(
    "conflict",
    `No minion of job ${job.id.slice(0, 200)} is to be called again.`,
    unsure > 0
      ? `On ${unsure} the method may have run: look there, and name those that are to be called again.`
      : undefined,
  );
}

function mayBeCalled(result: MinionResult, isNamed: boolean): boolean {
  const { state, mayHaveRun } = result;
  // it said itself that it failed: no doubt about whether it ran
  if (isFailedCommand(result)) return true;
  if (!FINAL_STATES.has(state) || state === "succeeded") return false;
  return isNamed || !mayHaveRun;
}
