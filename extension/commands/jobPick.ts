import { l10n, type QuickPickItem } from "vscode";
import { targetsText, type JobQuery, type JobSummary } from "../../server/protocol/jobs";
import { dateText } from "../dateText";
import { askPick } from "../input/askPick";
import { plainLabel } from "../input/plainLabel";
import { BACK } from "../input/steps";
import { fullOutcome } from "../jobs/jobOutcome";
import type { Services } from "../services";
import { callText, iconId } from "../views/jobItems";
import { readJobs } from "../views/readJobs";

/** More of them nobody looks through by hand. */
const MAX_SHOWN = 200;

type JobItem = QuickPickItem & { job: JobSummary };

/** Asks for one of the overlord's jobs, newest first. Undefined where none was chosen. */
export async function pickJob(
  { session }: Pick<Services, "session">,
  {
    title,
    query = {},
    offered = () => true,
  }: { title: string; query?: JobQuery; offered?: (job: JobSummary) => boolean },
): Promise<JobSummary | undefined> {
  const items = readJobs(session, query, MAX_SHOWN).then(({ jobs }) =>
    jobs.filter(offered).map(jobItem),
  );
  const picked = await askPick<JobItem>({
    title,
    placeholder: (await items).length === 0 ? l10n.t("There are none.") : undefined,
    items,
  });
  return picked === undefined || picked === BACK ? undefined : picked.job;
}

function jobItem(job: JobSummary): JobItem {
  return {
    label: `$(${iconId(job)}) ${plainLabel(callText(job))}`,
    description: plainLabel(targetsText(job)),
    detail: `${dateText(job.createdAtMs)} · ${fullOutcome(job)}`,
    job,
  };
}
