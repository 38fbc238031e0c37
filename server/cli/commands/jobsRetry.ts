import { followJob } from "../../client/followJob";
import { FuncError } from "../../common/errors";
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
  const left = minion === undefined ? unsureOf(results) : [];
  const leftOut = leftOutText(jobId, left);
  const summary = await overlord
    .request("jobs/retry", { jobId, ...(minions && { minions }) })
    .catch((error: unknown) => {
      if (left.length === 0 || left.length < meant.length || !isConflict(error)) throw error;
      throw new FuncError(error.reason, error.message, leftOut);
    });
  if (left.length > 0) out.note(`Not all are called again. ${leftOut}\n`);
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

function unsureOf(results: readonly MinionResult[]): string[] {
  return results
    .filter((result) => result.mayHaveRun && FINAL_STATES.has(result.state))
    .map(({ minion }) => minion);
}

/** Nobody is to believe that all were called again. */
function leftOutText(jobId: string, left: readonly string[]): string {
  const named = left.length > MAX_NAMES ? "NAME" : left.join(";");
  return (
    `The method may have run on ${firstNames(left)}: look there, then call them again by name: ` +
    `func jobs retry ${shellWord(jobId)} --minion ${shellWord(named)}`
  );
}

function isConflict(error: unknown): error is FuncError {
  return error instanceof FuncError && error.reason === "conflict";
}
