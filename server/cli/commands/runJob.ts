import type { FollowOptions } from "../../client/followJob";
import { expandJson } from "../../client/outputs";
import type { JobSummary, MinionCallState, MinionResult } from "../../protocol/jobs";
import type { JsonValue } from "../../protocol/value";
import { firstNames } from "../firstNames";
import { EXIT_FAILED, EXIT_OK } from "../exitStatus";
import { JsonObject } from "../jsonObject";
import { isAllLacking, isLacking, noteLacking } from "../lackingMethod";
import { printPieces } from "../printPieces";
import { commandStatus, renderFailure, renderResult, renderSummary } from "../render";
import { DELEGATION_MEMBER, delegationJson, nameWithWay } from "../resultWay";
import { isCommandRun, withNextStep, type CalledMethod } from "../resultStep";
import type { Session } from "../session";
import { cancelOnInterrupt, type Followed } from "./cancelOnInterrupt";

/** How a job's results are shown; by default as `call` does. */
export interface RunJobOptions {
  /** Shows one result for people, or leaves it (false) to be shown as by default; --json is the same for all. */
  show?: (result: MinionResult, called: CalledMethod | undefined) => Promise<boolean> | boolean;
  /** By default a call. */
  followed?: Followed;
  /** Tells of delegated results which way they came and who vouches for them. */
  tellsWay?: boolean;
}

/**
 * Follows a job to its end, shows its results as they arrive and gives the exit status. The first
 * Ctrl-C cancels what was called here, and shows what came of it.
 */
export async function runJob(
  session: Session,
  follow: (options: FollowOptions) => Promise<JobSummary>,
  { show, followed = "call", tellsWay = false }: RunJobOptions = {},
): Promise<number> {
  const started = Date.now();
  const { options, out, overlord } = session;
  const object = options.json ? new JsonObject(out.results, overlord, options.typed) : undefined;
  const states: MinionCallState[] = [];
  /** Failures that are noted at the end. */
  const failures: MinionResult[] = [];
  let failedCommands = 0;
  let called: CalledMethod | undefined;
  const interruption = cancelOnInterrupt(session, followed);
  /** Not called for one and the same reason: one line for all. */
  const skipped: MinionResult[] = [];
  const ways: MinionResult[] = [];
  const noteFailures = async (): Promise<void> => {
    noteSkipped(skipped, session);
    if (isAllLacking(failures, states.length)) {
      await noteLacking(session, failures, called);
    } else {
      for (const failure of failures) noteFailure(failure, session, tellsWay);
    }
  };
  const job = await follow({
    onStarted: (job) => {
      called = job;
      interruption.started(job.id);
      if (job.warning !== undefined) out.note(`Warning: ${job.warning}\n`);
    },
    onFinished: interruption.finished,
    onReconnected: () => {
      out.note("func: the overlord went away; another one goes on with the job.\n");
    },
    onResult: async (given) => {
      const result = withNextStep(given, called);
      states.push(result.state);
      if (called && isCommandRun(called) && exitStatus(result) !== 0) failedCommands++;
      if (object) {
        await object.member(result.minion, jsonResult(result));
        if (tellsWay) ways.push(wayOnly(result));
        // in front of them the line would not be at its end yet
        if (result.state === "skipped") skipped.push(result);
        else if (result.state !== "succeeded") failures.push(result);
      } else if (result.state === "skipped") {
        skipped.push(result);
      } else if (await show?.(result, called)) {
        return;
      } else if (isLacking(result)) {
        failures.push(result); // where all lack the same, that is one line
      } else {
        await printResult(session, result, tellsWay);
      }
    },
  }).catch(async (error: unknown) => {
    if (!object) await noteFailures();
    throw error;
  });
  if (object) {
    if (tellsWay && job.delegate) {
      await object.member(DELEGATION_MEMBER, delegationJson(job, ways));
    }
    object.end();
    out.result("\n");
  }
  await noteFailures();
  out.note(renderSummary(states, Date.now() - started, failedCommands));
  return states.every((state) => state === "succeeded") ? EXIT_OK : EXIT_FAILED;
}

/**
 * Shows a final result for people: a value on stdout, a failure on stderr; with `tellsWay` also how it came here. Throws
 * as `outputChunks` does.
 */
export async function printResult(
  session: Session,
  result: MinionResult,
  tellsWay = false,
): Promise<void> {
  const { out, overlord } = session;
  if (result.state !== "succeeded") {
    noteFailure(result, session, tellsWay);
    return;
  }
  const value = await expandJson(overlord, result.value ?? null);
  await printPieces(
    out.results,
    overlord,
    renderResult(tellsWay ? nameWithWay(result) : result.minion, value),
  );
}

/** A result's value, or its error as the array ["REMOTE_ERROR", type, message, trace]. */
export function jsonResult({ state, value, error }: MinionResult): JsonValue {
  if (state === "succeeded") return value ?? null;
  return ["REMOTE_ERROR", error?.type ?? state, error?.message ?? state, error?.trace ?? ""];
}

/** Of a command that has run; 0 where there is none. */
function exitStatus({ exitStatus, value }: MinionResult): number {
  return exitStatus ?? commandStatus(value) ?? 0;
}

/** Without what may be large. */
function wayOnly({ minion, state, via, signed, failedHop }: MinionResult): MinionResult {
  return {
    minion,
    state,
    ...(via && { via }),
    ...(signed && { signed }),
    ...(failedHop !== undefined && { failedHop }),
  };
}

function noteSkipped(results: readonly MinionResult[], session: Session): void {
  const [first] = results;
  if (first === undefined) return;
  if (results.length === 1) {
    noteFailure(first, session);
    return;
  }
  const names = results.map(({ minion }) => minion);
  const next = first.error?.nextStep;
  const why = first.error?.message.slice(`${first.minion} was not called: `.length) ?? "";
  session.out.note(`${names.length} skipped: ${firstNames(names)}\n    ${why}\n`);
  if (next !== undefined) session.out.note(`    ${next}\n`);
}

function noteFailure(result: MinionResult, session: Session, tellsWay = false): void {
  const { minion, state, error } = result;
  session.out.note(renderFailure(tellsWay ? nameWithWay(result) : minion, state, error));
}
