import { FINAL_STATES, type MinionResult } from "../../protocol/jobs";
import type { KeptConnection } from "../keptConnection";
import { callAndWait } from "./syncCall";
import { resultOf } from "./outcome";
import { RemoteError } from "./remoteError";
import type { LogTail } from "./overlordTypes";
import { textOf, type Value } from "./values";

const TAIL_LINES = 50;

/**
 * The last lines of what a minion's job has written: of its result where that is a command's, else asked from the
 * minion. Nothing of a job that is not there yet. Throws the RemoteError of a minion that cannot be asked.
 */
export async function tailOf(
  overlord: KeptConnection,
  result: MinionResult,
  signal: AbortSignal | undefined,
): Promise<LogTail> {
  const { minion, state, minionJobId } = result;
  const finished = FINAL_STATES.has(state);
  if (state === "succeeded") {
    const value = await resultOf(overlord, result, signal);
    const [, stdout, stderr] = Array.isArray(value) && value.length === 3 ? value : [];
    if (isText(stdout) && isText(stderr)) {
      return {
        stdout: lastLines(await textOf(stdout)),
        stderr: lastLines(await textOf(stderr)),
        finished,
      };
    }
  }
  if (minionJobId === undefined) return { stdout: "", stderr: "", finished };
  const answers = await callAndWait(
    overlord,
    { spec: minion, module: "jobs", method: "tail_output", args: [minionJobId], background: true },
    signal,
  );
  const answer = answers[minion];
  if (answer instanceof RemoteError) throw answer;
  const [stdout, stderr] = Array.isArray(answer) ? answer : [];
  return {
    stdout: isText(stdout) ? await textOf(stdout) : "",
    stderr: isText(stderr) ? await textOf(stderr) : "",
    finished,
  };
}

function isText(value: Value | undefined): value is Value {
  return (
    typeof value === "string" ||
    (typeof value === "object" && value !== null && !Array.isArray(value))
  );
}

function lastLines(text: string): string {
  const lines = text.split("\n");
  const kept = lines.slice(-TAIL_LINES - (text.endsWith("\n") ? 1 : 0));
  return kept.join("\n");
}
