import type { JobQuery } from "../../protocol/jobs";
import { EXIT_OK } from "../exitStatus";
import { listJobs } from "../findJob";
import { jobTable, KIND_LETTERS } from "../jobTable";
import type { Session } from "../session";
import { refuseUnknownMinion } from "../unknownMinion";

const DEFAULT_LAST = 100;

/** `func jobs list`: newest first. Throws "no-match" where there are none of a minion that nobody knows. */
export async function jobsList(
  session: Session,
  { query, last = DEFAULT_LAST }: { query: JobQuery; last?: number },
): Promise<number> {
  const { out, options } = session;
  const jobs = await listJobs(session, query, last);
  if (jobs.length === 0 && query.minion !== undefined) {
    await refuseUnknownMinion(session, query.minion);
  }
  const table = jobTable(jobs, out.results.columns);
  out.result(options.json ? `${JSON.stringify(jobs)}\n` : table.text);
  if (table.isShort && !options.json) {
    out.note(`${KIND_LETTERS}. In full: func jobs list | cat\n`);
  }
  if (jobs.length === 0) {
    out.note(Object.keys(query).length === 0 ? "No jobs yet.\n" : "No job fits.\n");
  } else if (jobs.length === last && last === DEFAULT_LAST) {
    out.note(`These are the newest ${last}; --last N shows more.\n`);
  }
  return EXIT_OK;
}
