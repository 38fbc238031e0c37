import type { JobQuery } from "../../protocol/jobs";
import { EXIT_OK } from "../exitStatus";
import { listJobs } from "../findJob";
import { jobRow } from "../jobTable";
import { renderTable } from "../render";
import type { Session } from "../session";

const DEFAULT_LAST = 100;

/** `func jobs list`: newest first. */
export async function jobsList(
  session: Session,
  { query, last = DEFAULT_LAST }: { query: JobQuery; last?: number },
): Promise<number> {
  const { out, options } = session;
  const jobs = await listJobs(session, query, last);
  out.result(options.json ? `${JSON.stringify(jobs)}\n` : renderTable(jobs.map(jobRow)));
  if (jobs.length === 0) {
    out.note(Object.keys(query).length === 0 ? "No jobs yet.\n" : "No such job.\n");
  } else if (jobs.length === last && last === DEFAULT_LAST) {
    out.note(`These are the newest ${last}; --last N shows more.\n`);
  }
  return EXIT_OK;
}
