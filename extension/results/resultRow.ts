import type { MinionCallState, MinionResult } from "../../server/protocol/jobs";
import type { JsonValue } from "../../server/protocol/value";
import type { ResultRow, RowKind } from "../webviews/resultsProtocol";
import { plainProblem } from "./plainProblem";
import { outputRefOf } from "../../server/protocol/outputs";
import { commandHead, headText, type CommandHead } from "./commandHead";
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
  skipped: "skipped",
  expired: "expired",
};

/** How a state looks. */
export function kindOf(state: MinionCallState): RowKind {
  return KINDS[state];
}

/** The row of one minion's result of a call of `module.method`. */
export function resultRow(result: MinionResult, module: string, method: string): ResultRow {
  const { minion, state, durationMs, progress } = result;
  const kind = KINDS[state];
  if (state !== "succeeded") {
    const text = result.error ? oneLine(plainProblem(result.error.message)) : "";
    const row = { minion, kind, label: kind, text, explains: true, durationMs };
    return progress && kind === "running" ? { ...row, progress } : row;
  }
  const command = commandHead(result.value, module, method);
  const exitStatus = result.exitStatus ?? command?.exitStatus;
  if (exitStatus !== undefined) {
    return {
      minion,
      kind: exitStatus === 0 ? "succeeded" : "failed",
      label: `exit ${exitStatus}`,
      text: command ? oneLine(saying(command)) : (result.excerpt ?? ""),
      durationMs,
    };
  }
  if (result.value === undefined && result.valueBytes !== undefined) {
    const text = result.excerpt ?? `${formatBytes(result.valueBytes)}: open the row to see it`;
    const explains = result.excerpt === undefined || undefined;
    return { minion, kind, label: "succeeded", text, explains, durationMs };
  }
  const text = result.value === undefined ? "" : oneLine(valueHead(result.value));
  return { minion, kind, label: "succeeded", text, durationMs };
}

/** What a failing command says about it stands on stderr. */
function saying({ exitStatus, stdout, stderr }: CommandHead): string {
  return exitStatus === 0 ? stdout || stderr : stderr || stdout;
}

function valueHead(value: JsonValue): string {
  const ref = outputRefOf(value);
  return ref?.kind === "bytes" && ref.head === "" ? formatBytes(ref.bytes) : headText(value);
}

/** The first line with anything on it, control characters (terminal escapes) taken out. */
function oneLine(text: string): string {
  const line = /[^\s].*/.exec(text.slice(0, MAX_LINE * 8))?.[0] ?? "";
  const clean = line.replace(/\p{Cc}/gu, " ");
  return clean.length > MAX_LINE ? `${clean.slice(0, MAX_LINE)}…` : clean.trimEnd();
}
