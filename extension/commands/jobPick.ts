import { l10n, type QuickPickItem } from "vscode";
import { dateText } from "../dateText";
import { targetsText, type JobSummary } from "../../server/protocol/jobs";
import { askPick } from "../input/askPick";
import { plainLabel } from "../input/plainLabel";
import { BACK } from "../input/steps";
import type { Services } from "../services";

/** More of them nobody looks through by hand. */
const MAX_SHOWN = 200;

type JobItem = QuickPickItem & { jobId: string };

/** Asks for one of the overlord's jobs, newest first. Undefined where none was chosen. */
export async function pickJob(
  { session }: Services,
  title: string,
  wanted: (job: JobSummary) => boolean,
): Promise<string | undefined> {
  const items = session.request("jobs/list", {}).then(({ jobs }) =>
    jobs
      .filter((job) => !job.background && wanted(job))
      .toSorted((a, b) => b.createdAtMs - a.createdAtMs)
      .slice(0, MAX_SHOWN)
      .map(jobItem),
  );
  const picked = await askPick<JobItem>({
    title,
    placeholder: (await items).length === 0 ? l10n.t("There are none.") : undefined,
    items,
  });
  return picked === undefined || picked === BACK ? undefined : picked.jobId;
}

function jobItem(job: JobSummary): JobItem {
  const { counts, finished, total } = job;
  const succeeded = counts.succeeded ?? 0;
  const state = finished
    ? l10n.t("{0} of {1} succeeded", succeeded, total)
    : l10n.t("running, {0} minions", total);
  const problem = finished && succeeded < total;
  const icon = finished ? (problem ? "$(error)" : "$(pass)") : "$(sync)";
  return {
    label: `${icon} ${plainLabel(`${job.module}.${job.method}(${job.argsText})`)}`,
    description: plainLabel(targetsText(job)),
    detail: `${dateText(job.createdAtMs)} · ${state}`,
    jobId: job.id,
  };
}
