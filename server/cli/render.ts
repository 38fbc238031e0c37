import type {
  CallError,
  JobCode,
  JobSummary,
  MinionCallState,
  MinionResult,
} from "../protocol/jobs";
import type { JsonValue } from "../protocol/value";
import { plainJson } from "./plainJson";

const INDENT = "    ";

/** One minion's result for people: one line where the value has one, else a block. Ends with a newline. */
export function renderResult(minion: string, value: JsonValue): string {
  const command = commandResult(value);
  if (command) return renderCommand(minion, command);
  const lines = renderValue(plainJson(value));
  const only = lines.length === 1 ? lines[0] : undefined;
  return only === undefined ? `${minion}:\n${block(lines)}` : `${minion}: ${only}\n`;
}

/** A failure for people, with what to do next. Ends with a newline. */
export function renderFailure(minion: string, state: MinionCallState, error?: CallError): string {
  const type = state === "failed" && error ? ` (${error.type})` : "";
  const next = error?.nextStep ? block(error.nextStep.split("\n")) : "";
  return `${minion}: ${state}${type}: ${error?.message ?? "no reason given"}\n${next}`;
}

/** The line of `ping` for one minion, as the original has it. */
export function renderPing(result: MinionResult): string {
  return result.state === "succeeded"
    ? `[ ok ... ] ${result.minion}\n`
    : `[ FAILED ] ${result.minion}  ${result.error?.message ?? result.state}\n`;
}

/**
 * `3 ok (2 with exit status not 0), 1 unreachable in 0.4 s`, where `failedCommands` are results of
 * commands that failed.
 */
export function renderSummary(
  states: readonly MinionCallState[],
  elapsedMs: number,
  failedCommands = 0,
): string {
  const failed = failedCommands > 0 ? ` (${failedCommands} with exit status not 0)` : "";
  const counts = new Map<MinionCallState, number>();
  for (const state of states) counts.set(state, (counts.get(state) ?? 0) + 1);
  const parts = [...counts]
    .sort(([a], [b]) => rank(a) - rank(b))
    .map(([state, count]) => `${count} ${state === "succeeded" ? `ok${failed}` : state}`);
  return `${parts.join(", ") || "no minions"} in ${(elapsedMs / 1000).toFixed(1)} s\n`;
}

/** The (code, results) of a job for people; `counts` of its summary explain the code. */
export function renderJobStatus(
  code: JobCode,
  results: Record<string, JsonValue> | null,
  job?: Pick<JobSummary, "counts" | "total">,
): string {
  const names = ["JOB_ID_RUNNING", "JOB_ID_FINISHED", "JOB_ID_LOST_IN_SPACE", "JOB_ID_PARTIAL"];
  const answers = job ? `: ${answered(job)} of ${job.total} have answered` : "";
  const head = `${code} ${names[code] ?? "?"}${answers}\n`;
  const entries = Object.entries(results ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return head + entries.map(([minion, value]) => renderStatusEntry(minion, value)).join("");
}

function answered({ counts }: Pick<JobSummary, "counts">): number {
  return (counts.succeeded ?? 0) + (counts.failed ?? 0) + (counts.denied ?? 0);
}

function renderStatusEntry(minion: string, value: JsonValue): string {
  if (!isRemoteError(value)) return renderResult(minion, value);
  const [, type, message] = value;
  return `${minion}: REMOTE_ERROR ${text(type)}: ${text(message)}\n`;
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
interface CommandResult {
  status: number;
  stdout: string;
  stderr: string;
}

/** The exit status in a result of command.run; undefined where `value` is none. */
export function commandStatus(value: JsonValue | undefined): number | undefined {
  return value === undefined ? undefined : commandResult(value)?.status;
}

function commandResult(value: JsonValue): CommandResult | undefined {
  if (!Array.isArray(value) || value.length !== 3) return undefined;
  const [status, stdout, stderr] = value.map(plainJson);
  if (typeof status !== "number" || typeof stdout !== "string" || typeof stderr !== "string") {
    return undefined;
  }
  return { status, stdout, stderr };
}

function renderCommand(minion: string, { status, stdout, stderr }: CommandResult): string {
  const errors = stderr === "" ? "" : `  stderr:\n${block(lines(stderr))}`;
  return `${minion}: exit status ${status}\n${block(lines(stdout))}${errors}`;
}

/** A value as lines: strings as they are, lists with "- ", structs with "key: ". */
function renderValue(value: JsonValue): string[] {
  if (typeof value === "string") return value === "" ? ['""'] : lines(value);
  if (Array.isArray(value)) {
    return value.length === 0 ? ["[]"] : value.flatMap((item) => nested("- ", item));
  }
  if (value !== null && typeof value === "object") {
    const entries = Object.entries(value);
    return entries.length === 0
      ? ["{}"]
      : entries.flatMap(([key, item]) => keyed(key.replace(/\n/g, "\\n"), item));
  }
  return [String(value)];
}

function nested(mark: string, item: JsonValue): string[] {
  return renderValue(item).map((line, at) => (at === 0 ? mark : "  ") + line);
}

function keyed(key: string, item: JsonValue): string[] {
  const inner = renderValue(item);
  return inner.length === 1 && !isContainer(item)
    ? [`${key}: ${inner[0] ?? ""}`]
    : [`${key}:`, ...inner.map((line) => `  ${line}`)];
}

function isContainer(value: JsonValue): boolean {
  return value !== null && typeof value === "object" && Object.keys(value).length > 0;
}

function lines(text: string): string[] {
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}

function block(textLines: readonly string[]): string {
  return textLines.map((line) => `${line === "" ? "" : INDENT + line}\n`).join("");
}

function text(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}

function rank(state: MinionCallState): number {
  return state === "succeeded" ? 0 : 1;
}
