import type { JobSummary, MinionResult } from "../../server/protocol/jobs";
import type { ResultReader } from "../results/resultParts";

/** Asked for ahead, so that the overlord works while the file is written. */
const AHEAD = 8;

/** Results in one answer: read in a few milliseconds. */
const PAGE = 250;

/** The results of all minions of a job in its order, page by page. Throws FuncError. */
export async function* readAllResults(
  reader: ResultReader,
  { id: jobId, total }: Pick<JobSummary, "id" | "total">,
  signal: AbortSignal,
): AsyncGenerator<MinionResult, void, undefined> {
  for (let from = 0; from < total; from += PAGE) {
    const { results } = await reader.request(
      "jobs/results",
      { jobId, from, limit: PAGE },
      { signal },
    );
    const large = results.filter(isCut).map(({ minion }) => minion);
    const whole = readResults(reader, jobId, large, signal);
    for (const result of results) {
      if (!isCut(result)) yield result;
      else yield (await whole.next()).value ?? result;
    }
  }
}

/** Whether the overlord left out of it what is too large for a page. */
function isCut({ valueBytes, value, error }: MinionResult): boolean {
  return (valueBytes !== undefined && value === undefined) || error?.cut === true;
}

/** The results of these minions in this order. Throws FuncError. */
export async function* readResults(
  reader: ResultReader,
  jobId: string,
  minions: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<MinionResult, void, undefined> {
  const asked: Promise<MinionResult>[] = [];
  const ask = (minion: string): void => {
    const result = reader.request("jobs/result", { jobId, minion }, { signal });
    // whoever stops in between does not wait for it
    result.catch(() => undefined);
    asked.push(result);
  };
  minions.slice(0, AHEAD).forEach(ask);
  for (let at = 0; at < minions.length; at++) {
    const result = await asked.shift();
    const next = minions[at + AHEAD];
    if (next !== undefined) ask(next);
    if (result) yield result;
  }
}
