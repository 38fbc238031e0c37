import { l10n, window } from "vscode";
import { FuncError } from "../../server/common/errors";
import { FINAL_STATES, type JobSummary } from "../../server/protocol/jobs";
import { requireTrust } from "../calls";
import { firstNames } from "../confirmation";
import { failedCount } from "../jobs/jobOutcome";
import type { Services } from "../services";
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
  const { failed, lost } = await withoutResult(services, job);
  if (failed.length + lost.length === 0) {
    throw new FuncError("not-found", l10n.t("Every minion of this job has a result."));
  }
  const minions = await confirmed(services, job, failed, lost);
  if (!minions) return;
  await services.session.request("jobs/retry", { jobId: job.id, minions });
  services.results.show(job.id);
}

/** Names of those that failed, and of those of which nobody knows whether it ran there. */
async function withoutResult(
  { session }: Services,
  { id: jobId, total }: JobSummary,
): Promise<{ failed: string[]; lost: string[] }> {
  const failed: string[] = [];
  const lost: string[] = [];
  for (let from = 0; from < total; from += PAGE) {
    const { results } = await session.request("jobs/results", { jobId, from, limit: PAGE });
    for (const { minion, state } of results) {
      if (state === "lost") lost.push(minion);
      else if (state !== "succeeded" && FINAL_STATES.has(state)) failed.push(minion);
    }
  }
  return { failed, lost };
}

/** Those that are to be called; undefined where the user decided against it. */
async function confirmed(
  services: Services,
  job: JobSummary,
  failed: readonly string[],
  lost: readonly string[],
): Promise<string[] | undefined> {
  const what = `${job.module}.${job.method}`;
  const question =
    failed.length + lost.length === 1
      ? l10n.t("Call {0} again on 1 minion?", what)
      : failed.length > 0
        ? l10n.t("Call {0} again on {1} minions?", what, failed.length)
        : l10n.t("Call {0} again on {1} lost minions?", what, lost.length);
  const risk = await riskOf(services, job);
  const details = [
    risk === "disruptive" ? l10n.t("This can interrupt the services of these hosts.") : "",
    firstNames(failed),
    lost.length > 0 ? lostText(lost) : "",
  ];
  const retry = l10n.t("Retry");
  const all =
    failed.length === 0 ? l10n.t("Retry All the Same") : l10n.t("Retry with the Lost Ones");
  const buttons = [...(failed.length > 0 ? [retry] : []), ...(lost.length > 0 ? [all] : [])];
  const detail = details.filter((line) => line !== "").join("\n\n");
  const chosen = await window.showWarningMessage(question, { modal: true, detail }, ...buttons);
  if (chosen === retry) return [...failed];
  return chosen === all ? [...failed, ...lost] : undefined;
}

function lostText(lost: readonly string[]): string {
  return lost.length === 1
    ? l10n.t("{0} was lost: it may have run there, and would run a second time.", firstNames(lost))
    : l10n.t(
        "{0} were lost ({1}): it may have run there, and would run a second time.",
        lost.length,
        firstNames(lost),
      );
}
