import { followJob } from "../../client/followJob";
import { findJob } from "../findJob";
import { jobMinions } from "../jobMinions";
import type { Session } from "../session";
import { LiveOutput } from "./liveOutput";
import { runJob } from "./runJob";

/**
 * `func jobs follow ID`: what the job's commands write, as they write it, and the results, those that are there and
 * those to come. With --json, and of a job that is over, the results only: they have every byte.
 */
export async function jobsFollow(
  session: Session,
  { job, minion }: { job: string; minion?: string },
): Promise<number> {
  const { options, overlord } = session;
  const jobId = await findJob(session, job);
  const chosen = minion === undefined ? undefined : await jobMinions(session, jobId, minion);
  const names = chosen?.results.map((result) => result.minion);
  const { summary } = chosen ?? (await overlord.request("jobs/watch", { jobId, limit: 1 }));
  const live = options.json || summary.finished ? undefined : new LiveOutput(session, jobId, names);
  try {
    return await runJob(
      session,
      (following) =>
        followJob(overlord, jobId, {
          ...following,
          ...(names && { minions: new Set(names) }),
        }),
      {
        followed: "watched job",
        tellsWay: true,
        ...(live && { show: (result, called) => live.show(result, called) }),
      },
    );
  } finally {
    await live?.close();
  }
}
