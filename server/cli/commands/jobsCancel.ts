import { EXIT_OK } from "../exitStatus";
import { findJob } from "../findJob";
import { jobTable } from "../jobTable";
import type { Session } from "../session";

/** `func jobs cancel ID`; of a job that is over only what it left running is stopped, which is said. */
export async function jobsCancel(session: Session, job: string): Promise<number> {
  const { out, options, overlord } = session;
  const jobId = await findJob(session, job);
  const summary = await overlord.request("jobs/cancel", { jobId });
  out.result(options.json ? `${JSON.stringify(summary)}\n` : jobTable([summary]).text);
  if (summary.finished && !summary.cancelRequested) {
    const { stopped = 0 } = summary;
    const what =
      stopped === 0
        ? "nothing is cancelled"
        : `what it had left running is stopped on ${stopped} ${stopped === 1 ? "minion" : "minions"}`;
    out.note(`That job had ended: ${what}.\n`);
  }
  return EXIT_OK;
}
