import type { OverlordConnection } from "../../client/connection";
import type { FollowOptions } from "../../client/followJob";
import { messageOf } from "../../common/errors";
import type { JobSummary, MinionCallState, MinionResult } from "../../protocol/jobs";
import type { JsonValue } from "../../protocol/value";
import { EXIT_FAILED, EXIT_OK } from "../exitStatus";
import { plainJson } from "../plainJson";
import { commandStatus, renderFailure, renderResult, renderSummary } from "../render";
import { isCommandRun, withNextStep, type CalledMethod } from "../resultStep";
import type { Session } from "../session";

/** How a job's results are shown; by default as `call` does. */
export interface RunJobOptions {
  /** Shows one result for people; --json is the same for all. */
  show?: (result: MinionResult, session: Session) => void;
}

/**
 * Follows a job to its end, shows its results as they arrive and gives the exit status. The first
 * Ctrl-C cancels the job and shows what came of it.
 */
export async function runJob(
  session: Session,
  connection: OverlordConnection,
  follow: (options: FollowOptions) => Promise<JobSummary>,
  { show = showResult }: RunJobOptions = {},
): Promise<number> {
  const started = Date.now();
  const { json, typed } = session.options;
  const collected: [string, JsonValue][] = [];
  const states: MinionCallState[] = [];
  let failedCommands = 0;
  let jobId: string | undefined;
  let called: CalledMethod | undefined;
  let cancelEarly = false;
  const job = { over: false };
  const cancel = (id: string): void => {
    connection.request("jobs/cancel", { jobId: id }).catch((error: unknown) => {
      // the results may be here before the answer: the connection closes then
      if (!job.over)
        session.out.note(`func: the job could not be cancelled: ${messageOf(error)}\n`);
    });
  };
  session.onInterrupt(() => {
    session.out.note("func: cancelling; Ctrl-C once more ends at once.\n");
    if (jobId === undefined) cancelEarly = true;
    else cancel(jobId);
  });
  const summary = await follow({
    onStarted: ({ id, module, method }) => {
      jobId = id;
      called = { module, method };
      if (cancelEarly) cancel(id);
    },
    onResult: (given) => {
      const result = withNextStep(given, called);
      states.push(result.state);
      if (called && isCommandRun(called) && (commandStatus(result.value) ?? 0) !== 0) {
        failedCommands++;
      }
      if (json) {
        collected.push([result.minion, jsonResult(result, typed)]);
        if (result.state !== "succeeded") showFailure(result, session);
      } else {
        show(result, session);
      }
    },
  });
  job.over = true;
  if (json) session.out.result(`${JSON.stringify(Object.fromEntries(collected))}\n`);
  session.out.note(renderSummary(states, Date.now() - started, failedCommands));
  const allWell = states.length >= summary.total && states.every((state) => state === "succeeded");
  return allWell ? EXIT_OK : EXIT_FAILED;
}

/** A result's value, or its error as the array ["REMOTE_ERROR", type, message, trace]. */
function jsonResult({ state, value, error }: MinionResult, typed: boolean): JsonValue {
  if (state === "succeeded") return typed ? (value ?? null) : plainJson(value ?? null);
  return ["REMOTE_ERROR", error?.type ?? state, error?.message ?? state, error?.trace ?? ""];
}

function showResult(result: MinionResult, session: Session): void {
  if (result.state === "succeeded") {
    session.out.result(renderResult(result.minion, result.value ?? null));
  } else {
    showFailure(result, session);
  }
}

function showFailure({ minion, state, error }: MinionResult, session: Session): void {
  session.out.note(renderFailure(minion, state, error));
}
