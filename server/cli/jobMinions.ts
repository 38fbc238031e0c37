import { FuncError } from "../common/errors";
import { globParts } from "../jobs/minionGlob";
import type { JobSummary, MinionResult } from "../protocol/jobs";
import { nearestNames } from "../targets/nearestNames";
import type { Session } from "./session";
import { shellWord } from "./shellWord";

/** Minions are asked for in pages of this many. */
const PAGE = 1_000;

/** A job and those of its minions that are meant, in the job's order. */
export interface JobMinions {
  summary: JobSummary;
  results: MinionResult[];
}

/**
 * A job as it stands, with the results of its minions that `glob` means (as in `JobQuery`), or of all. Throws
 * "not-found" where the job is unknown, "bad-argument" where a part of `glob` means none of them.
 */
export async function jobMinions(
  session: Session,
  jobId: string,
  glob: string | undefined,
): Promise<JobMinions> {
  const { overlord } = session;
  const { summary } = await overlord.request("jobs/watch", { jobId, limit: 1 });
  if (glob === undefined) return { summary, results: await resultsOf(session, summary) };
  const found = new Map<string, MinionResult>();
  for (const part of globParts(glob)) {
    const results = await resultsOf(session, summary, part);
    if (results.length === 0) throw await noneMeant(session, summary, part);
    for (const result of results) found.set(result.minion, result);
  }
  const results = [...found.values()].sort((a, b) => (a.minion < b.minion ? -1 : 1));
  return { summary, results };
}

async function resultsOf(
  { overlord }: Session,
  { id, total }: JobSummary,
  minion?: string,
): Promise<MinionResult[]> {
  const results: MinionResult[] = [];
  for (let from = 0; from < total; from += PAGE) {
    const asked = { jobId: id, from, limit: PAGE, ...(minion !== undefined && { minion }) };
    results.push(...(await overlord.request("jobs/results", asked)).results);
  }
  return results;
}

async function noneMeant(session: Session, job: JobSummary, glob: string): Promise<FuncError> {
  const names = (await resultsOf(session, job)).map(({ minion }) => minion);
  const near = nearestNames(glob, names);
  const hint = near.length > 0 ? ` Did you mean ${near.join(", ")}?` : "";
  return new FuncError(
    "bad-argument",
    `"${glob}" matches none of the ${names.length} minions of the job ${job.id}.${hint}`,
    `func jobs show ${shellWord(job.id)} shows them.`,
  );
}
