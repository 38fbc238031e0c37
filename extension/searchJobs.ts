import { Disposable, l10n, ThemeIcon, window, type QuickPick, type QuickPickItem } from "vscode";
import { targetsText, type JobSummary } from "../server/protocol/jobs";
import { dateText } from "./dateText";
import { showResult } from "./documents/showResult";
import { asFuncError, errorText, showError } from "./errors";
import { askText } from "./input/askText";
import { plainLabel } from "./input/plainLabel";
import { BACK } from "./input/steps";
import type { Services } from "./services";
import { callText } from "./views/jobItems";
import { filterQuery } from "./views/jobFilter";
import { findJob } from "./commands/jobSelection";

/** Of more nobody looks through: another word narrows them. */
const MAX_MATCHES = 1_000;

type MatchItem = QuickPickItem & { jobId: string; minion: string };

/** Searches the outputs of all jobs, or of those that the view's filter leaves, and opens what was chosen. */
export async function searchJobs(services: Services): Promise<void> {
  const text = await askText({
    title: l10n.t("Search Jobs' Outputs"),
    placeholder: l10n.t("Text in results, outputs and messages of errors"),
    check: (typed) => (typed.trim() === "" ? l10n.t("Type what to look for.") : undefined),
  });
  if (text === undefined || text === BACK) return;
  const found = await choose(services, text);
  if (!found) return;
  const job = await findJob(services, found.jobId);
  const call = `${job.module}.${job.method}`;
  await showResult(services.session, { jobId: job.id, minion: found.minion, call }, text);
}

/** A list that fills as the overlord finds; closing it ends the search. */
function choose(services: Services, text: string): Promise<MatchItem | undefined> {
  const box = window.createQuickPick<MatchItem>();
  box.title = l10n.t('Results with "{0}"', text);
  box.matchOnDescription = true;
  box.matchOnDetail = true;
  box.ignoreFocusOut = true;
  const ending = new AbortController();
  return new Promise((resolve) => {
    const finish = (item: MatchItem | undefined): void => {
      resolve(item);
      ending.abort();
      disposables.dispose();
    };
    const disposables = Disposable.from(
      box,
      box.onDidAccept(() => {
        const [item] = box.selectedItems;
        if (item) finish(item);
      }),
      box.onDidTriggerItemButton(({ item }) => {
        services.results.show(item.jobId);
        finish(undefined);
      }),
      box.onDidHide(() => finish(undefined)),
    );
    box.show();
    void search(services, text, box, ending.signal);
  });
}

async function search(
  services: Services,
  text: string,
  box: QuickPick<MatchItem>,
  signal: AbortSignal,
): Promise<void> {
  const { session, jobList } = services;
  const query = { ...filterQuery(jobList.filter), state: jobList.filter.state };
  const jobs = new Map<string, Promise<JobSummary | undefined>>();
  const jobOf = (id: string): Promise<JobSummary | undefined> => {
    const known = jobs.get(id) ?? findJob(services, id).catch(() => undefined);
    jobs.set(id, known);
    return known;
  };
  box.busy = true;
  try {
    let items: readonly MatchItem[] = [];
    let cursor: string | undefined;
    do {
      const answer = await session.request("jobs/searchAll", { text, query, cursor }, { signal });
      const added = answer.matches.map(async (match) => itemOf(match, await jobOf(match.jobId)));
      items = [...items, ...(await Promise.all(added))].slice(0, MAX_MATCHES);
      cursor = items.length < MAX_MATCHES ? answer.next : undefined;
      if (signal.aborted) return;
      if (added.length > 0) show(box, items);
      box.placeholder = progressText(items.length, answer.searched, cursor !== undefined);
    } while (cursor !== undefined);
  } catch (error) {
    if (signal.aborted || asFuncError(error).reason === "cancelled") return;
    box.placeholder = errorText(error);
    void showError(error);
  } finally {
    if (!signal.aborted) box.busy = false;
  }
}

/** What comes later must not move the choice. */
function show(box: QuickPick<MatchItem>, items: readonly MatchItem[]): void {
  const [active] = box.activeItems;
  const kept = box.items;
  box.keepScrollPosition = true;
  box.items = [...kept, ...items.slice(kept.length)];
  if (active) box.activeItems = [active];
}

function itemOf(
  { jobId, minion, line }: { jobId: string; minion: string; line: string },
  job: JobSummary | undefined,
): MatchItem {
  const about = job && `${callText(job)} · ${targetsText(job)} · ${dateText(job.createdAtMs)}`;
  return {
    label: plainLabel(`${minion}: ${line.trim()}`),
    detail: plainLabel(about ?? jobId),
    buttons: [{ iconPath: new ThemeIcon("go-to-file"), tooltip: l10n.t("Open Results") }],
    jobId,
    minion,
  };
}

function progressText(found: number, searched: number, goesOn: boolean): string {
  const jobs = searched === 1 ? l10n.t("1 job") : l10n.t("{0} jobs", searched);
  if (goesOn) return l10n.t("Searching: {0} found in {1} so far", found, jobs);
  if (found >= MAX_MATCHES) return l10n.t("The first {0} in {1}", found, jobs);
  return l10n.t("{0} found in {1}", found, jobs);
}
