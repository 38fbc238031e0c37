import { followJob } from "../../client/followJob";
import { isFailedCommand } from "../../protocol/jobs";
import { EXIT_OK } from "../exitStatus";
import { findJob } from "../findJob";
import { jobMinions } from "../jobMinions";
import type { Session } from "../session";
import { runJob } from "./runJob";

/**
 * `func jobs retry ID`: calls those again that have no result, and shows what comes of it. Those that are lost may
 * have run: they are only called again where --minion means them.
 */
export async function jobsRetry(
  session: Session,
  { job, minion }: { job: string; minion?: string },
): Promise<number> {
  const { options, out, overlord } = session;
  const jobId = await findJob(session, job);
  const { results } = await jobMinions(session, jobId, minion);
  const meant = results
    .filter((result) => result.state !== "succeeded" || isFailedCommand(result))
    .map((result) => result.minion);
  const minions = minion === undefined ? undefined : meant;
  const known = new Map(results.map((result) => [result.minion, result.attempt ?? 1]));
  const summary = await overlord.request("jobs/retry", { jobId, ...(minions && { minions }) });
  if (options.nopoll) {
    out.result(options.json ? `${JSON.stringify(summary)}\n` : `JOB_ID: '${jobId}'\n`);
    return EXIT_OK;
  }
  return runJob(
    session,
    (following) =>
      followJob(overlord, jobId, {
        ...following,
        ...(minion !== undefined && { minions: new Set(meant) }),
        isNews: (result) => (result.attempt ?? 1) > (known.get(result.minion) ?? 0),
      }),
    { followed: summary.async ? "async call" : "call" },
  );
}
