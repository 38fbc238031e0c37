import type { FollowOptions } from "../../client/followJob";
import { expandJson } from "../../client/outputs";
import {
  isCommandRun,
  type JobSummary,
  type MinionCallState,
  type MinionResult,
} from "../../protocol/jobs";
import type { JsonValue } from "../../protocol/value";
import { behindTooText } from "../behindTooText";
import { earlyOutputText, hasEarlyOutput } from "../earlyOutput";
import { FailureNotes } from "../failureNotes";
import { EXIT_FAILED, EXIT_OK } from "../exitStatus";
import { JsonObject } from "../jsonObject";
import { isAllLacking, isLacking, noteLacking } from "../lackingMethod";
import { jobMinions } from "../jobMinions";
import { printPieces } from "../printPieces";
import { QuietNote } from "../quietNote";
import { commandStatus, renderResult, renderSummary } from "../render";
import { DELEGATION_MEMBER, delegationJson, nameWithWay } from "../resultWay";
import { withNextStep, type CalledMethod } from "../resultStep";
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
  /** Failures that are noted at the end: of --json all, else those that may be everybody's, or skipped for one reason. */
  const failures: MinionResult[] = [];
  // whoever looks at a job wants these too, whoever calls wants the values
  const notes = new FailureNotes(followed === "watched job" ? out.results : out.notes, tellsWay);
  let failedCommands = 0;
  let notBegun = 0;
  let called: CalledMethod | undefined;
  const interruption = cancelOnInterrupt(session, followed);
  const stopped: MinionResult[] = [];
  const ways: MinionResult[] = [];
  const noteFailures = async (): Promise<void> => {
    if (isAllLacking(failures, states.length)) {
      await noteLacking(session, failures, called);
    } else {
      for (const failure of failures) notes.add(failure);
    }
    notes.flush();
  };
  let quiet: QuietNote | undefined;
  const job = await follow({
    onStarted: (job) => {
      called = job;
      interruption.started(job.id);
      if (followed !== "watched job") quiet = quietNote(session, job.id);
      if (job.warning !== undefined) out.note(`Warning: ${job.warning}\n`);
      out.note(behindTooText(job));
    },
    onProgress: () => quiet?.news(),
    onFinished: interruption.finished,
    onReconnected: () => {
      out.note("func: the overlord went away; another one goes on with the job.\n");
    },
    onResult: async (given) => {
      const result = withNextStep(given, called);
      states.push(result.state);
      if (called && isCommandRun(called) && exitStatus(result) !== 0) failedCommands++;
      if (result.state === "cancelled" && !result.mayHaveRun) notBegun++;
      if (hasEarlyOutput(result)) stopped.push(result);
      if (object) {
        await object.member(result.minion, jsonResult(result));
        if (tellsWay) ways.push(wayOnly(result));
        // in front of them the line would not be at its end yet
        if (result.state !== "succeeded") failures.push(result);
      } else if (result.state === "skipped") {
        failures.push(result);
      } else if (await show?.(result, called)) {
        return;
      } else if (isLacking(result)) {
        failures.push(result); // where all lack the same, that is one line
      } else if (result.state === "succeeded") {
        await printValue(session, result, tellsWay);
      } else {
        notes.add(result);
      }
    },
  })
    .catch(async (error: unknown) => {
      if (!object) await noteFailures();
      throw error;
    })
    .finally(() => quiet?.close());
  if (object) {
    if (tellsWay && job.delegate) {
      await object.member(DELEGATION_MEMBER, delegationJson(job, ways));
    }
    object.end();
    out.result("\n");
  }
  await noteFailures();
  out.note(renderSummary(states, Date.now() - started, { failedCommands, notBegun }));
  if (followed !== "watched job") out.note(earlyOutputText(job, stopped));
  return states.every((state) => state === "succeeded") ? EXIT_OK : EXIT_FAILED;
}

function quietNote(session: Session, jobId: string): QuietNote {
  return new QuietNote(
    (text) => {
      session.out.note(text);
    },
    async () => (await jobMinions(session, jobId, undefined)).results,
    "Ctrl-C cancels the call.",
  );
}

/** Shows a value for people, on stdout; with `tellsWay` also how it came here. Throws as `outputChunks` does. */
export async function printValue(
  { out, overlord }: Session,
  result: MinionResult,
  tellsWay = false,
): Promise<void> {
  const value = await expandJson(overlord, result.value ?? null);
  const name = tellsWay ? nameWithWay(result) : result.minion;
  await printPieces(out.results, overlord, renderResult(name, value));
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
