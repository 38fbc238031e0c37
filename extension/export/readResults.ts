import type { MinionResult } from "../../server/protocol/jobs";
import type { ResultReader } from "../results/resultParts";

/** Asked for ahead, so that the overlord works while the file is written. */
const AHEAD = 8;

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
