import type { JobPage, JobQuery, JobSummary } from "../../server/protocol/jobs";
import type { ResultReader } from "../results/resultParts";

/** The most that one answer has. */
const MAX_PAGE = 1_000;

/** The newest `count` jobs that fit, read page by page; `next` is there where there are more. Throws FuncError. */
export async function readJobs(
  reader: ResultReader,
  query: JobQuery,
  count: number,
  signal?: AbortSignal,
): Promise<JobPage> {
  const jobs: JobSummary[] = [];
  let cursor: string | undefined;
  do {
    const limit = Math.min(MAX_PAGE, count - jobs.length);
    const page = await reader.request("jobs/list", { ...query, limit, cursor }, { signal });
    jobs.push(...page.jobs.filter(({ background }) => !background));
    cursor = page.next;
  } while (cursor !== undefined && jobs.length < count);
  return { jobs, ...(cursor !== undefined && { next: cursor }) };
}
