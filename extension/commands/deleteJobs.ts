import { l10n, window } from "vscode";
import { FuncError } from "../../server/common/errors";
import type { JobQuery, JobSummary } from "../../server/protocol/jobs";
import { requireTrust } from "../calls";
import { askText } from "../input/askText";
import { BACK } from "../input/steps";
import type { Services } from "../services";
import { dayLabel, dayRange } from "../views/jobDays";
import { filterQuery } from "../views/jobFilter";
import { shortCall } from "../views/jobItems";
import { isJobNode, type JobNode } from "../views/jobNode";
import { readJobs } from "../views/readJobs";
import { chosenJobs } from "./jobSelection";

/** With more of them a click is too little. */
const TYPED_ABOVE = 20;
/** Of a day. */
const MAX_DELETED = 10_000;
/** In one request. */
const AT_ONCE = 500;

/** Forgets the chosen finished jobs with their results, or all of a day that the view shows. */
export async function deleteJobs(
  services: Services,
  item?: unknown,
  items?: unknown,
): Promise<void> {
  requireTrust();
  const day = chosenDay(item, items);
  const jobs = day === undefined ? await chosen(services, item, items) : await ofDay(services, day);
  if (jobs.length === 0) return;
  if (!(await confirmed(jobs, day))) return;
  const ids = jobs.map(({ id }) => id);
  for (let from = 0; from < ids.length; from += AT_ONCE) {
    const jobIds = ids.slice(from, from + AT_ONCE);
    await services.session.request("jobs/delete", { jobIds });
  }
}

/** A day that was chosen alone. */
function chosenDay(item: unknown, items: unknown): string | undefined {
  const several = Array.isArray(items) && items.length > 1;
  return !several && isJobNode(item) && item.kind === "day" ? item.day : undefined;
}

async function chosen(
  services: Services,
  item: unknown,
  items: unknown,
): Promise<readonly JobSummary[]> {
  const wanted = { title: l10n.t("Delete Job"), query: { state: "finished" } as const };
  const jobs = await chosenJobs(services, item, jobRows(items), wanted);
  const finished = jobs.filter((job) => job.finished);
  if (jobs.length > 0 && finished.length === 0) {
    throw new FuncError(
      "conflict",
      l10n.t("A job that runs cannot be deleted."),
      l10n.t("Cancel it first."),
    );
  }
  return finished;
}

function jobRows(items: unknown): JobNode[] | undefined {
  if (!Array.isArray(items)) return undefined;
  const rows = items.filter(isJobNode).filter(({ kind }) => kind === "job");
  return rows.length > 0 ? rows : undefined;
}

/** Those that fit the filter, also where they are not loaded yet. */
async function ofDay({ session, jobList }: Services, day: string): Promise<readonly JobSummary[]> {
  const { sinceMs, untilMs } = dayRange(day);
  const state = jobList.filter.state ?? "finished";
  const query: JobQuery = { ...filterQuery(jobList.filter), state, sinceMs, untilMs: untilMs - 1 };
  return (await readJobs(session, query, MAX_DELETED)).jobs.filter(({ finished }) => finished);
}

async function confirmed(jobs: readonly JobSummary[], day: string | undefined): Promise<boolean> {
  const [first] = jobs;
  const title =
    jobs.length === 1 && first
      ? l10n.t("Delete the job {0}?", shortCall(first))
      : day === undefined
        ? l10n.t("Delete {0} jobs?", jobs.length)
        : l10n.t("Delete {0} jobs of {1}?", jobs.length, dayLabel(day));
  const detail = l10n.t("Their results and outputs are deleted too. That cannot be undone.");
  if (jobs.length <= TYPED_ABOVE) {
    const go = l10n.t("Delete");
    return (await window.showWarningMessage(title, { modal: true, detail }, go)) === go;
  }
  const expected = String(jobs.length);
  const answer = await askText({
    title,
    prompt: l10n.t("{0} Type the number of jobs to confirm.", detail),
    placeholder: expected,
    check: (typed) =>
      typed.trim() === expected
        ? undefined
        : l10n.t("Type {0}, how many jobs these are.", expected),
  });
  return answer !== undefined && answer !== BACK;
}
