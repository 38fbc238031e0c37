import { commands } from "vscode";
import type { JobSummary } from "../../server/protocol/jobs";
import { runCall } from "../calls";
import { COMMANDS } from "../commandIds";
import { showResult } from "../documents/showResult";
import type { Services } from "../services";

/**
 * Makes a job's call again, on just these minions where some are given. Its arguments are asked for where
 * this window does not know them. Throws FuncError.
 */
export async function callJobAgain(
  services: Services,
  job: JobSummary,
  minions?: readonly string[],
): Promise<void> {
  const targets = minions ? { spec: minions.join(";"), exclude: undefined } : {};
  const started = services.jobs.startedWith(job.id);
  const recent = services.recentCalls.forJob(job.id);
  if (started) {
    await runCall(services, { ...started.params, ...targets }, started.risk);
  } else if (recent?.args) {
    const { spec, exclude, module, method, args, risk } = recent;
    const call = { spec, exclude, module, method, args: [...args], ...targets };
    await runCall(services, call, risk);
  } else {
    await commands.executeCommand(COMMANDS.callMethod, { again: { ...job, ...targets } });
  }
}

/** Makes a job's call again on minions that are asked for. */
export async function callElsewhere(job: JobSummary): Promise<void> {
  await commands.executeCommand(COMMANDS.callMethod, { again: job });
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
