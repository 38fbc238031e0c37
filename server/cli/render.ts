import type {
  CallError,
  JobCode,
  JobSummary,
  MinionCallState,
  MinionResult,
} from "../protocol/jobs";
import type { JsonValue } from "../protocol/value";
import type { Piece } from "./pieces";
import { shownValue } from "./shownValue";
import { stateCounts } from "./stateCounts";
import { block, onlyLine, outputLines, valueLines } from "./valueLines";

/**
 * One minion's result for people: one line where the value has one, else a block. Ends with a newline.
 * A value that is kept as JSON is to be read before (`expandJson`).
 */
export function* renderResult(minion: string, value: JsonValue): Generator<Piece> {
  const command = commandResult(value);
  if (command) {
    yield* renderCommand(minion, command);
    return;
  }
  const only = onlyLine(value);
  if (only !== undefined) {
    yield `${minion}: ${only}\n`;
    return;
  }
  yield `${minion}:\n`;
  yield* block(valueLines(value));
}

/** A failure for people, with what to do next. Ends with a newline. */
export function renderFailure(minion: string, state: MinionCallState, error?: CallError): string {
  return `${minion}: ${whyText(minion, state, error)}\n${nextStepLines(error)}`;
}

function whyText(minion: string, state: MinionCallState, error?: CallError): string {
  const message = error?.message ?? "no reason given";
  // the words of a method stay as they are
  if (state === "failed") return `failed${error ? ` (${error.type})` : ""}: ${message}`;
  const why = afterName(minion, message);
  // what begins with the state says it
  const said = new RegExp(`^${state}([;:])? `, "i").exec(why);
  const rest = why.slice(said?.[0].length ?? 0);
  return said && said[1] === undefined ? `${state} ${rest}` : `${state}: ${rest}`;
}

/** The message of an error of the minion that is named before it; with the way to it, too. */
function afterName(named: string, message: string): string {
  const [name = ""] = named.split(" ", 1);
  const [own = ""] = name.split("@", 1);
  const prefix = [`${name}: `, `${own}: `].find((text) => message.startsWith(text));
  return message.slice(prefix?.length ?? 0);
}

function nextStepLines(error: CallError | undefined): string {
  return error?.nextStep ? error.nextStep.replace(/^(?=.)/gm, "    ") + "\n" : "";
}

/** The line of `ping` for one minion, as the original has it, and what to do where it failed. */
export function renderPing({ minion, state, error }: MinionResult): string {
  if (state === "succeeded") return `[ ok ... ] ${minion}\n`;
  return `[ FAILED ] ${minion}  ${error?.message ?? state}\n${nextStepLines(error)}`;
}

/**
 * `3 ok, 2 with another exit status than 0, 4 cancelled (2 not begun) in 0.4 s`, where `failedCommands` are results of
 * commands that failed, and `notBegun` are cancelled calls that ran nothing.
 */
export function renderSummary(
  states: readonly MinionCallState[],
  elapsedMs: number,
  { failedCommands = 0, notBegun = 0 }: { failedCommands?: number; notBegun?: number } = {},
): string {
  const counts: Partial<Record<MinionCallState, number>> = {};
  for (const state of states.toSorted((a, b) => rank(a) - rank(b))) {
    counts[state] = (counts[state] ?? 0) + 1;
  }
  const parts = stateCounts(counts, failedCommands).map(({ name, count }) => {
    const more = name === "cancelled" && notBegun > 0 ? ` (${notBegun} not begun)` : "";
    return `${count} ${name === "succeeded" ? "ok" : name}${more}`;
  });
  return `${parts.join(", ") || "no minions"} in ${(elapsedMs / 1000).toFixed(1)} s\n`;
}

/** The code of a job for people; `counts` of its summary explain it. Ends with a newline. */
export function renderCode(code: JobCode, job?: Pick<JobSummary, "counts" | "total">): string {
  const names = ["JOB_ID_RUNNING", "JOB_ID_FINISHED", "JOB_ID_LOST_IN_SPACE", "JOB_ID_PARTIAL"];
  const answers = job ? `: ${answered(job)} of ${job.total} have answered` : "";
  return `${code} ${names[code] ?? "?"}${answers}\n`;
}

function answered({ counts }: Pick<JobSummary, "counts">): number {
  return (counts.succeeded ?? 0) + (counts.failed ?? 0) + (counts.denied ?? 0);
}

/** One minion in the status of a job: its result or its error. Ends with a newline. */
export function* renderStatusEntry(minion: string, value: JsonValue): Generator<Piece> {
  if (isRemoteError(value)) {
    const [, type, message] = value;
    yield `${minion}: REMOTE_ERROR ${text(type)}: ${text(message)}\n`;
  } else {
    yield* renderResult(minion, value);
  }
}

/** True for the array by which an error travels (FUNC-SPEC 1.5). */
export function isRemoteError(value: JsonValue): value is JsonValue[] {
  return Array.isArray(value) && value[0] === "REMOTE_ERROR" && value.length > 1;
}

/** A table for people: columns as wide as their widest cell. */
export function renderTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, at) => (widths[at] = Math.max(widths[at] ?? 0, cell.length)));
  }
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, at) => cell.padEnd(widths[at] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

/** What `command.run` gives back. */
export interface CommandResult {
  status: number;
  stdout: JsonValue;
  stderr: JsonValue;
}

/** The exit status in a result of command.run; undefined where `value` is none. */
export function commandStatus(value: JsonValue | undefined): number | undefined {
  return value === undefined ? undefined : commandResult(value)?.status;
}

/** `value` as a command's result, by its shape; undefined where it is none. */
export function commandResult(value: JsonValue): CommandResult | undefined {
  if (!Array.isArray(value) || value.length !== 3) return undefined;
  const [status, stdout, stderr] = value;
  if (typeof status !== "number" || stdout === undefined || stderr === undefined) return undefined;
  return isOutput(stdout) && isOutput(stderr) ? { status, stdout, stderr } : undefined;
}

/** Text or bytes, here or with the overlord. */
function isOutput(value: JsonValue): boolean {
  const shown = shownValue(value);
  if (shown.kind === "scalar") return typeof shown.value === "string";
  return shown.kind === "bytes" || shown.kind === "output";
}

function* renderCommand(
  minion: string,
  { status, stdout, stderr }: CommandResult,
): Generator<Piece> {
  yield `${minion}: exit status ${status}\n`;
  yield* block(outputLines(stdout), true);
  if (isEmpty(stderr)) return;
  yield "  stderr:\n";
  yield* block(outputLines(stderr), true);
}

function isEmpty(output: JsonValue): boolean {
  const shown = shownValue(output);
  return shown.kind === "scalar" ? shown.value === "" : shown.kind === "bytes" && !shown.base64;
}

function text(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}

function rank(state: MinionCallState): number {
  return state === "succeeded" ? 0 : 1;
}
