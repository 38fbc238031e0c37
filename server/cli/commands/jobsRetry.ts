import { followJob } from "../../client/followJob";
import { FINAL_STATES, isFailedCommand, type MinionResult } from "../../protocol/jobs";
import { EXIT_OK } from "../exitStatus";
import { findJob } from "../findJob";
import { firstNames } from "../firstNames";
import { jobMinions } from "../jobMinions";
import type { Session } from "../session";
import { shellWord } from "../shellWord";
import { runJob } from "./runJob";

/** So many names stand in a command to copy. */
const MAX_NAMES = 10;

/**
 * `func jobs retry ID`: calls those again that have no result, and shows what comes of it. Those that may have run
 * are only called again where --minion means them.
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
  if (minion === undefined) noteLeftOut(session, jobId, results);
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

/** Nobody is to believe that all were called again. */
function noteLeftOut({ out }: Session, jobId: string, results: readonly MinionResult[]): void {
  const left = results
    .filter((result) => result.mayHaveRun && FINAL_STATES.has(result.state))
    .map(({ minion }) => minion);
  if (left.length === 0) return;
  const named = left.length > MAX_NAMES ? "NAME" : left.join(";");
  out.note(
    `Not called again, since the method may have run there: ${firstNames(left)}. Look there; then, to call them again:\n` +
      `    func jobs retry ${shellWord(jobId)} --minion ${shellWord(named)}\n`,
  );
}
