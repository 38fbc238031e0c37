import { commands, l10n, window } from "vscode";
import type { JobSummary } from "../../server/protocol/jobs";
import type { MethodRisk } from "../../server/protocol/methods";
import type { StartCallParams } from "../../server/protocol/requests";
import { runCall, type Call } from "../calls";
import { COMMANDS } from "../commandIds";
import { asFuncError } from "../errors";
import type { StartedCall } from "../jobs/jobTracker";
import type { Services } from "../services";

/** Enough of a job, or of a recent call, to find what it was started with. */
export type RepeatedJob = Pick<
  JobSummary,
  "id" | "spec" | "exclude" | "delegate" | "module" | "method"
>;

/** Other minions than those of before. */
export type OtherTargets = Pick<Call, "spec" | "exclude">;

/** A question about the risk must not hold up the call for long. */
const DESCRIBE_TIMEOUT_MS = 5_000;

/**
 * Makes a job's call again with all that it was started with, on `targets` where they are given. Arguments
 * that are not kept, since one of them was secret, are asked for. Throws FuncError.
 */
export async function repeatJob(
  services: Services,
  job: RepeatedJob,
  targets?: OtherTargets,
): Promise<void> {
  const started = await startedWith(services, job);
  if (!started) {
    const hint = l10n.t("Secret arguments are not kept: type them again.");
    void window.showInformationMessage(hint);
    const again = { ...job, args: undefined, ...targets };
    await commands.executeCommand(COMMANDS.callMethod, { again });
    return;
  }
  const { params, risk } = started;
  await runCall(services, callOf(params, targets), risk);
}

/** What a job was started with; undefined where nobody knows all of it. Throws FuncError. */
export async function startedWith(
  services: Services,
  job: RepeatedJob,
): Promise<StartedCall | undefined> {
  const { jobs, recentCalls, session } = services;
  const here = jobs.startedWith(job.id);
  if (here) return here;
  try {
    const params = await session.request("jobs/call", { jobId: job.id });
    return { params, risk: await riskOf(services, job) };
  } catch (error) {
    const { reason } = asFuncError(error);
    if (reason !== "unavailable" && reason !== "not-found") throw error;
    const recent = recentCalls.forJob(job.id);
    if (!recent?.args) return undefined;
    const { spec, exclude, delegate, module, method, args, risk } = recent;
    return { params: { spec, exclude, delegate, module, method, args: [...args] }, risk };
  }
}

/** What the job's method can do to a host, as far as that can be found out soon. */
export async function riskOf(
  { recentCalls, session }: Services,
  { id, spec, exclude, delegate, module, method }: RepeatedJob,
): Promise<MethodRisk | undefined> {
  const known = recentCalls.forJob(id)?.risk;
  if (known !== undefined) return known;
  if (module === "command" && method === "run") return "change";
  if (module === "test" && method === "ping") return "read";
  try {
    const options = { timeoutMs: DESCRIBE_TIMEOUT_MS };
    const { modules } = await session.request(
      "minions/describe",
      { spec, exclude, delegate },
      options,
    );
    const methods = modules.find(({ name }) => name === module)?.methods ?? [];
    return methods.find(({ name }) => name === method)?.risk;
  } catch {
    return undefined; // none of them answers: it is asked about as what may change something
  }
}

/** The same call, made in the same way; on other targets without its canary, which is one of those of before. */
export function callOf(params: StartCallParams, targets?: OtherTargets): Call {
  const { spec, exclude, module, method, args } = params;
  const { nforks, timeoutMs, deliveryLimitMs, maxErrors } = params;
  const size = params.batch?.size;
  const batch = !targets ? params.batch : size === undefined ? undefined : { size };
  const options = {
    async: params.async ?? false,
    batch,
    nforks,
    timeoutMs,
    deliveryLimitMs,
    maxErrors,
    delegate: params.delegate ?? false,
    mapFile: params.mapFile,
  };
  return { spec, exclude, module, method, args, options, ...targets };
}
