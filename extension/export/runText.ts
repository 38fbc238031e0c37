import type { JobSummary, MinionResult } from "../../server/protocol/jobs";
import { formatBytes } from "../results/formatBytes";
import type { ResultReader } from "../results/resultParts";
import { exportText, type ExportContext } from "./exportFormats";
import { readAllResults } from "./readResults";

/** What a diff editor takes without getting slow. */
const MAX_CHARACTERS = 4_000_000;
/** Of one minion, so that one that says much does not push out the others. */
const MAX_EACH = 64_000;

export type RunOfJob = Pick<JobSummary, "id" | "module" | "method" | "total">;

/**
 * The results of a job for people, minion by minion, without what differs between any two runs. What is cut
 * is said. `report` is called with each minion. Throws FuncError.
 */
export async function runText(
  reader: ResultReader,
  job: RunOfJob,
  signal: AbortSignal,
  report: () => void = () => undefined,
): Promise<string> {
  const isCommand = job.module === "command" && job.method === "run";
  const pieces: string[] = [];
  let characters = 0;
  let left = 0;
  for await (const result of readAllResults(reader, job, signal)) {
    report();
    if (characters > MAX_CHARACTERS) {
      left++;
      continue;
    }
    const text = await minionText(result, { reader, isCommand, signal });
    characters += text.length;
    pieces.push(text);
  }
  if (left > 0) pieces.push(`(${left} more minions are not shown: export the results instead)\n`);
  return pieces.join("");
}

async function minionText(result: MinionResult, context: ExportContext): Promise<string> {
  let text = "";
  for await (const piece of exportText("text", only(result), context)) {
    text += piece;
    if (text.length <= MAX_EACH) continue;
    return `${text.slice(0, MAX_EACH)}\n(cut here after ${formatBytes(MAX_EACH)})\n\n`;
  }
  return text;
}

// eslint wants an await in what is async, and a single result needs none
function only(result: MinionResult): AsyncIterable<MinionResult> {
  return {
    async *[Symbol.asyncIterator]() {
      yield await Promise.resolve(result);
    },
  };
}
