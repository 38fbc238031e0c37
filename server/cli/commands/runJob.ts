import type { OverlordConnection } from "../../client/connection";
import type { FollowOptions } from "../../client/followJob";
import { expandJson } from "../../client/outputs";
import type { JobSummary, MinionCallState, MinionResult } from "../../protocol/jobs";
import type { JsonValue } from "../../protocol/value";
import { EXIT_FAILED, EXIT_OK } from "../exitStatus";
import { JsonObject } from "../jsonObject";
import { printPieces } from "../printPieces";
import { commandStatus, renderFailure, renderResult, renderSummary } from "../render";
import { isCommandRun, withNextStep, type CalledMethod } from "../resultStep";
import type { Session } from "../session";
import { isAllLacking, isLacking, noteLacking } from "../lackingMethod";
import { cancelOnInterrupt, type Followed } from "./cancelOnInterrupt";

/** How a job's results are shown; by default as `call` does. */
export interface RunJobOptions {
  /** Shows one result for people; --json is the same for all. */
  show?: (result: MinionResult, session: Session) => void;
  /** By default a call. */
  followed?: Followed;
}

/**
 * Follows a job to its end, shows its results as they arrive and gives the exit status. The first
 * Ctrl-C cancels what was called here, and shows what came of it.
 */
export async function runJob(
  session: Session,
  connection: OverlordConnection,
  follow: (options: FollowOptions) => Promise<JobSummary>,
  { show, followed = "call" }: RunJobOptions = {},
): Promise<number> {
  const started = Date.now();
  const { options, out } = session;
  const object = options.json ? new JsonObject(out.results, connection, options.typed) : undefined;
  const states: MinionCallState[] = [];
  /** Failures that are noted at the end. */
  const failures: MinionResult[] = [];
  let failedCommands = 0;
  let called: CalledMethod | undefined;
  const interruption = cancelOnInterrupt(session, connection, followed);
  const noteFailures = async (): Promise<void> => {
    if (isAllLacking(failures, states.length)) {
      await noteLacking(session, connection, failures, called);
    } else {
      for (const failure of failures) noteFailure(failure, session);
    }
  };
  const summary = await follow({
    onStarted: (job) => {
      called = job;
      interruption.started(job.id);
    },
    onFinished: interruption.finished,
    onResult: async (given) => {
      const result = withNextStep(given, called);
      states.push(result.state);
      if (called && isCommandRun(called) && exitStatus(result) !== 0) failedCommands++;
      if (object) {
        await object.member(result.minion, jsonResult(result));
        // in front of them the line would not be at its end yet
        if (result.state !== "succeeded") failures.push(result);
      } else if (show) {
        show(result, session);
      } else if (result.state === "succeeded") {
        const value = await expandJson(connection, result.value ?? null);
        await printPieces(out.results, connection, renderResult(result.minion, value));
      } else if (isLacking(result)) {
        failures.push(result); // where all lack the same, that is one line
      } else {
        noteFailure(result, session);
      }
    },
  }).catch(async (error: unknown) => {
    if (!object) await noteFailures();
    throw error;
  });
  if (object) {
    object.end();
    out.result("\n");
  }
  await noteFailures();
  out.note(renderSummary(states, Date.now() - started, failedCommands));
  const allWell = states.length >= summary.total && states.every((state) => state === "succeeded");
  return allWell ? EXIT_OK : EXIT_FAILED;
}

/** Of a command that has run; 0 where there is none. */
function exitStatus({ exitStatus, value }: MinionResult): number {
  return exitStatus ?? commandStatus(value) ?? 0;
}

/** A result's value, or its error as the array ["REMOTE_ERROR", type, message, trace]. */
function jsonResult({ state, value, error }: MinionResult): JsonValue {
  if (state === "succeeded") return value ?? null;
  return ["REMOTE_ERROR", error?.type ?? state, error?.message ?? state, error?.trace ?? ""];
}

function noteFailure({ minion, state, error }: MinionResult, session: Session): void {
  session.out.note(renderFailure(minion, state, error));
}
