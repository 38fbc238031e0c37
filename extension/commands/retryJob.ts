import { l10n, window } from "vscode";
import { FuncError } from "../../server/common/errors";
import { FINAL_STATES, isFailedCommand, type JobSummary } from "../../server/protocol/jobs";
import { requireTrust } from "../calls";
import { firstNames } from "../confirmation";
import { failedCount } from "../jobs/jobOutcome";
import type { Services } from "../services";
import { shortCall } from "../views/jobItems";
import { chosenJob } from "./jobSelection";
import { riskOf } from "./repeatJob";

/** Results in one answer: read in a few milliseconds. */
const PAGE = 250;

/** Calls those minions of a job again that gave no result, as a new attempt of the same job. */
export async function retryJob(services: Services, item?: unknown): Promise<void> {
  requireTrust();
  const job = await chosenJob(services, item, {
    title: l10n.t("Retry Failed"),
    query: { state: "problems" },
    offered: (offered) => failedCount(offered) > 0,
  });
  if (!job) return;
  const { failed, unsure } = await withoutResult(services, job);
  if (failed.length + unsure.length === 0) {
    throw new FuncError("not-found", l10n.t("Every minion of this job has a result."));
  }
  const minions = await confirmed(services, job, failed, unsure);
  if (!minions) return;
  await services.session.request("jobs/retry", { jobId: job.id, minions });
  services.results.show(job.id);
}

/** Names of those that failed or on which nothing was run to its end, and of those on which it may have been. */
async function withoutResult(
  { session }: Services,
  { id: jobId, total }: JobSummary,
): Promise<{ failed: string[]; unsure: string[] }> {
  const failed: string[] = [];
  const unsure: string[] = [];
  for (let from = 0; from < total; from += PAGE) {
    const { results } = await session.request("jobs/results", { jobId, from, limit: PAGE });
    for (const result of results) {
      const { minion, state, mayHaveRun } = result;
      if (!FINAL_STATES.has(state)) continue;
      if (state === "succeeded" && !isFailedCommand(result)) continue;
      (mayHaveRun ? unsure : failed).push(minion);
    }
  }
  return { failed, unsure };
}

/** Those that are to be called; undefined where the user decided against it. */
async function confirmed(
  services: Services,
  job: JobSummary,
  failed: readonly string[],
  unsure: readonly string[],
): Promise<string[] | undefined> {
  const what = `${job.module}.${job.method}`;
  const count = failed.length > 0 ? failed.length : unsure.length;
  const question =
    count === 1
      ? l10n.t("Call {0} again on 1 minion?", what)
      : l10n.t("Call {0} again on {1} minions?", what, count);
  const risk = await riskOf(services, job);
  const detail = [
    shortCall(job),
    risk === "disruptive" ? l10n.t("This can interrupt the services of these hosts.") : "",
    firstNames(failed),
    unsure.length > 0 ? unsureText(unsure) : "",
  ]
    .filter((line) => line !== "")
    .join("\n\n");
  const retry = l10n.t("Retry");
  const all = failed.length === 0 ? l10n.t("Retry All the Same") : l10n.t("Retry There Too");
  const buttons = [...(failed.length > 0 ? [retry] : []), ...(unsure.length > 0 ? [all] : [])];
  const chosen = await window.showWarningMessage(question, { modal: true, detail }, ...buttons);
  if (chosen === retry) return [...failed];
  return chosen === all ? [...failed, ...unsure] : undefined;
}

function unsureText(names: readonly string[]): string {
  const shown = firstNames(names);
  return names.length === 1
    ? l10n.t("On {0} it may have run already, and would run once more.", shown)
    : l10n.t(
        "It may have run already on these {0}, and would run once more: {1}",
        names.length,
        shown,
      );
}
