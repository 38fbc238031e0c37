import { commands } from "vscode";
import type { JobSummary } from "../../server/protocol/jobs";
import { COMMANDS } from "../commandIds";
import { repeatJob } from "../commands/repeatJob";
import { showResult } from "../documents/showResult";
import type { Services } from "../services";

/** Makes a job's call again, on just these minions where some are given. Throws FuncError. */
export async function callJobAgain(
  services: Services,
  job: JobSummary,
  minions?: readonly string[],
): Promise<void> {
  await repeatJob(services, job, minions && { spec: minions.join(";") });
}

/** Opens one minion's result, or one output of it, as a document. */
export async function openResult(
  { session }: Services,
  { id, module, method }: JobSummary,
  minion: string,
  section: string | undefined,
): Promise<void> {
  await showResult(session, { jobId: id, minion, call: `${module}.${method}`, section });
}

/** Shows two minions' results of a job side by side. */
export async function compareMinions(
  jobId: string,
  minions: readonly [string, string],
): Promise<void> {
  await commands.executeCommand(COMMANDS.compareResults, { jobId, minions });
}
