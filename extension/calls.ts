import { commands, l10n, ProgressLocation, window, workspace } from "vscode";
import { FuncError } from "../server/common/errors";
import type { JobSummary } from "../server/protocol/jobs";
import type { MethodRisk } from "../server/protocol/methods";
import type { StartCallParams } from "../server/protocol/requests";
import { firstNames, needsConfirmation } from "./confirmation";
import { delegateByDefault } from "./delegateByDefault";
import { asFuncError, showError } from "./errors";
import type { CallOptions } from "./input/callOptions";
import type { TrackedJob } from "./jobs/trackedJob";
import type { Services } from "./services";
import { callSettings, confirmAbove, usualOptions } from "./settings";

export type Call = Pick<StartCallParams, "spec" | "exclude" | "module" | "method" | "args"> & {
  options?: CallOptions;
  /** Minions behind sub-overlords too; by the setting without, unless the options say so. */
  delegate?: boolean;
};

/**
 * Makes a call: asks first where it should, starts the job, opens its results and shows its progress.
 * Returns when the job has started, or when the user decided against it. Throws FuncError.
 */
export async function runCall(
  services: Services,
  call: Call,
  risk: MethodRisk | undefined,
): Promise<void> {
  requireTrust();
  const { options = usualOptions(call), ...what } = call;
  const delegate = options.delegate ?? call.delegate ?? (await delegateByDefault(services.session));
  if (!(await confirmed(services, { ...call, delegate }, risk))) return;
  const params = { ...what, ...callSettings(), ...definedOf(options), delegate };
  const summary = await start(services, params);
  services.jobs.remember(summary.id, { params, risk });
  const { spec, exclude, module, method, args } = call;
  const { id: jobId, createdAtMs } = summary;
  const recent = { jobId, spec, exclude, module, method, args, risk, createdAtMs, delegate };
  await services.recentCalls.add(recent);
  // completes a step of the walkthrough
  void commands.executeCommand("setContext", "func.called", true);
  services.results.show(summary.id);
  if (!summary.finished) void showProgress(services, summary.id, `${call.module}.${call.method}`);
}

/** What is undefined is left to the settings. */
function definedOf(options: CallOptions): CallOptions {
  const entries: [string, unknown][] = Object.entries(options);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

async function start(services: Services, params: StartCallParams): Promise<JobSummary> {
  await services.session.connection();
  try {
    return await services.session.request("calls/start", params);
  } catch (error) {
    const failure = asFuncError(error);
    if (failure.reason !== "unavailable" && failure.reason !== "timed-out") throw failure;
    // "try again" would be bad advice: nobody knows whether the call got through
    throw new FuncError(
      failure.reason,
      l10n.t("The overlord was lost while the call was started: it may have run on some minions."),
      l10n.t("Look into the view Jobs before you make it again."),
      { cause: failure },
    );
  }
}

/** Throws FuncError "denied" in a workspace that is not trusted: nothing may be run from it. */
export function requireTrust(): void {
  if (workspace.isTrusted) return;
  throw new FuncError(
    "denied",
    l10n.t("Calls are not possible in a workspace that you do not trust."),
    l10n.t("Trust this workspace first."),
  );
}

async function confirmed(
  services: Services,
  { spec, exclude, module, method, delegate }: Call,
  risk: MethodRisk | undefined,
): Promise<boolean> {
  if (risk === "read") return true;
  const { names } = await services.session.request("minions/match", { spec, exclude, delegate });
  if (!needsConfirmation(risk, names.length, confirmAbove())) return true;
  const what = `${module}.${method}`;
  const question =
    names.length === 1
      ? l10n.t("Call {0} on 1 minion?", what)
      : l10n.t("Call {0} on {1} minions?", what, names.length);
  const warning =
    risk === "disruptive" ? l10n.t("This can interrupt the services of these hosts.") : undefined;
  const detail = [warning, firstNames(names)].filter(Boolean).join("\n\n");
  const go = l10n.t("Call");
  return (await window.showWarningMessage(question, { modal: true, detail }, go)) === go;
}

/** A notification "12 of 40" with Cancel, as long as the job runs. */
async function showProgress(services: Services, jobId: string, what: string): Promise<void> {
  const job = services.jobs.acquire(jobId);
  try {
    await window.withProgress(
      { location: ProgressLocation.Notification, title: what, cancellable: true },
      (progress, token) => {
        token.onCancellationRequested(() => {
          services.session.request("jobs/cancel", { jobId }).catch(showError);
        });
        return followed(job, (done, total, increment) => {
          progress.report({ message: l10n.t("{0} of {1}", done, total), increment });
        });
      },
    );
  } finally {
    services.jobs.release(job);
  }
}

/** Resolves when the job has finished or is lost. */
function followed(
  job: TrackedJob,
  report: (done: number, total: number, increment: number) => void,
): Promise<void> {
  return new Promise((resolve) => {
    let before = 0;
    const look = (): void => {
      const summary = job.state?.summary;
      if (summary) {
        const done = finishedCount(summary.counts);
        report(done, summary.total, ((done - before) / Math.max(1, summary.total)) * 100);
        before = done;
      }
      if (job.lost || summary?.finished) {
        subscription.dispose();
        resolve();
      }
    };
    const subscription = job.onDidChange(look);
    look();
  });
}

function finishedCount(counts: Partial<Record<string, number>>): number {
  return Object.entries(counts)
    .filter(([state]) => !["queued", "sent", "running"].includes(state))
    .reduce((sum, [, count]) => sum + (count ?? 0), 0);
}
