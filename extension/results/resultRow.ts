import type { MinionCallState, MinionResult } from "../../server/protocol/jobs";
import type { JsonValue } from "../../server/protocol/value";
import type { ResultRow, RowKind } from "../webviews/resultsProtocol";
import { plainProblem } from "./plainProblem";
import { commandResult, outputText } from "./commandResult";
import { formatBytes } from "./formatBytes";

/** A line longer than this is cut: nobody reads it in a list. */
const MAX_LINE = 240;

const KINDS: Record<MinionCallState, RowKind> = {
  queued: "waiting",
  sent: "running",
  running: "running",
  succeeded: "succeeded",
  failed: "failed",
  unreachable: "unreachable",
  "timed-out": "timed-out",
  cancelled: "cancelled",
  denied: "denied",
  lost: "lost",
};

/** The row of one minion's result of a call of `module.method`. */
export function resultRow(result: MinionResult, module: string, method: string): ResultRow {
  const { minion, state, durationMs } = result;
  const kind = KINDS[state];
  if (state !== "succeeded") {
    const text = result.error ? oneLine(plainProblem(result.error.message)) : "";
    return { minion, kind, label: kind, text, explains: true, durationMs };
  }
  const command = commandResult(result.value, module, method);
  if (command) {
    // what a failing command says about it stands on stderr
    const output =
      command.exitStatus === 0
        ? command.stdout || command.stderr
        : command.stderr || command.stdout;
    return {
      minion,
      kind: command.exitStatus === 0 ? "succeeded" : "failed",
      label: `exit ${command.exitStatus}`,
      text: oneLine(output),
      durationMs,
    };
  }
  const leftOut = result.value === undefined && result.valueBytes !== undefined;
  // whether a command succeeded stands in the value
  const label = leftOut && module === "command" && method === "run" ? "answered" : "succeeded";
  return {
    minion,
    kind,
    label,
    text: valueLine(result),
    explains: leftOut || undefined,
    durationMs,
  };
}

function valueLine(result: MinionResult): string {
  if (result.valueBytes !== undefined && result.value === undefined) {
    return `${formatBytes(result.valueBytes)}: open the row to see it`;
  }
  return oneLine(valueText(result.value));
}

/** A value as text: strings and bytes as they are, everything else as indented JSON. */
export function valueText(value: JsonValue | undefined, indent?: number): string {
  if (value === undefined) return "";
  const plain = typeof value === "string" || isBase64(value);
  return plain ? outputText(value) : JSON.stringify(value, undefined, indent);
}

function isBase64(value: JsonValue): boolean {
  return typeof value === "object" && value !== null && "$base64" in value;
}

/** The first line with anything on it, control characters (terminal escapes) taken out. */
function oneLine(text: string): string {
  const line = /[^\s].*/.exec(text.slice(0, MAX_LINE * 8))?.[0] ?? "";
  const clean = Array.from(line, (char) => (char < " " || char === "\x7f" ? " " : char)).join("");
  return clean.length > MAX_LINE ? `${clean.slice(0, MAX_LINE)}…` : clean.trimEnd();
}
