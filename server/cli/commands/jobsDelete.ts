import { readLine } from "../../common/readLine";
import { EXIT_FAILED, EXIT_OK } from "../exitStatus";
import { findJob, listJobs } from "../findJob";
import { timeText } from "../jobTable";
import { needPerson } from "../needPerson";
import type { Session } from "../session";

/** So many jobs one request takes. */
const AT_ONCE = 10_000;

export interface JobsDelete {
  jobs: string[];
  /** All finished ones that began before. */
  untilMs?: number;
  yes: boolean;
}

/** `func jobs delete ID...`: forgets finished jobs and their results. Throws "conflict" where one runs. */
export async function jobsDelete(
  session: Session,
  { jobs, untilMs, yes }: JobsDelete,
): Promise<number> {
  const { out, options, overlord } = session;
  const ids: string[] = [];
  for (const job of jobs) ids.push(await findJob(session, job));
  if (untilMs !== undefined) {
    const old = await listJobs(session, { untilMs, state: "finished" }, Infinity);
    ids.push(...old.map(({ id }) => id));
    if (ids.length > 0 && !yes && !(await isAgreed(session, ids.length, untilMs)))
      return EXIT_FAILED;
  }
  const deleted: string[] = [];
  for (let at = 0; at < ids.length; at += AT_ONCE) {
    const jobIds = ids.slice(at, at + AT_ONCE);
    deleted.push(...(await overlord.request("jobs/delete", { jobIds })).deleted);
  }
  if (options.json) out.result(`${JSON.stringify({ deleted })}\n`);
  out.note(`${deleted.length === 1 ? "1 job" : `${deleted.length} jobs`} deleted.\n`);
  return EXIT_OK;
}

async function isAgreed({ out }: Session, count: number, untilMs: number): Promise<boolean> {
  const what = count === 1 ? "1 job" : `${count} jobs`;
  needPerson(`whether to delete ${what}`);
  out.note(`Delete ${what} from before ${timeText(untilMs)}, with all results? [y/N] `);
  if (/^y(es)?$/i.test((await readLine()).trim())) return true;
  out.note("Nothing is deleted.\n");
  return false;
}
