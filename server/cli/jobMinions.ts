import { FuncError } from "../common/errors";
import type { JobSummary, MinionResult } from "../protocol/jobs";
import { matchTargets } from "../targets/targetSpec";
import type { Session } from "./session";

/** Minions are asked for in pages of this many. */
const PAGE = 1_000;

/** A job and those of its minions that are meant, in the job's order. */
export interface JobMinions {
  summary: JobSummary;
  results: MinionResult[];
}

/**
 * A job as it stands, with the results of its minions that `glob` matches, or of all. Throws "not-found" where the
 * job is unknown, "bad-argument" where it has no such minion.
 */
export async function jobMinions(
  session: Session,
  jobId: string,
  glob: string | undefined,
): Promise<JobMinions> {
  const { overlord } = session;
  const { summary } = await overlord.request("jobs/watch", { jobId, limit: 1 });
  const results: MinionResult[] = [];
  for (let from = 0; ; from += PAGE) {
    const page = await overlord.request("jobs/results", { jobId, from, limit: PAGE });
    results.push(...page.results);
    if (page.results.length < PAGE) break;
  }
  if (glob === undefined) return { summary, results };
  const names = results.map(({ minion }) => minion);
  const meant = new Set(namesThatMatch(glob, names, jobId));
  return { summary, results: results.filter(({ minion }) => meant.has(minion)) };
}

function namesThatMatch(glob: string, names: readonly string[], jobId: string): string[] {
  try {
    return matchTargets({ spec: glob }, names, new Map());
  } catch (error) {
    if (!(error instanceof FuncError) || error.reason !== "no-match") throw error;
    throw new FuncError(
      "bad-argument",
      `"${glob}" matches none of the ${names.length} minions of the job ${jobId}.`,
      `func jobs show ${jobId} shows them.`,
    );
  }
}
