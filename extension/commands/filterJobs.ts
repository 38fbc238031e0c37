import { l10n, type QuickPickItem } from "vscode";
import { askPick } from "../input/askPick";
import { askText } from "../input/askText";
import { BACK } from "../input/steps";
import type { Services } from "../services";
import { dayOf, isDay } from "../views/jobDays";
import { isFiltered, type JobFilter } from "../views/jobFilter";

type FilterItem = QuickPickItem & {
  /** The filter with this choice; undefined where the user gave up, BACK to choose anew. */
  choose: (filter: JobFilter) => Promise<JobFilter | typeof BACK | undefined>;
};

/** Asks which jobs the view is to show. */
export async function filterJobs({ jobList, jobsView }: Services): Promise<void> {
  for (;;) {
    const { filter } = jobList;
    const title = l10n.t("Filter Jobs");
    const picked = await askPick({ title, items: choices(filter) });
    if (picked === undefined || picked === BACK) return;
    const chosen = await picked.choose(filter);
    if (chosen === undefined) return;
    if (chosen === BACK) continue;
    await jobList.setFilter(chosen);
    await jobsView.focus();
    return;
  }
}

/** Shows all jobs. */
export async function clearJobFilter({ jobList }: Services): Promise<void> {
  await jobList.setFilter({});
}

function choices(filter: JobFilter): FilterItem[] {
  const { state, text, minion, until } = filter;
  const states: FilterItem[] = [
    stateItem(l10n.t("Running and finished"), undefined, state),
    stateItem(l10n.t("Running"), "running", state),
    stateItem(l10n.t("With problems"), "problems", state, l10n.t("Not all minions succeeded")),
  ];
  const texts: FilterItem[] = [
    {
      label: l10n.t("$(search) With a text..."),
      description: text,
      detail: l10n.t("In the method, arguments, targets or job ID"),
      choose: (now) =>
        ask(l10n.t("Jobs with which text?"), text, (found) => ({ ...now, text: found })),
    },
    {
      label: l10n.t("$(vm) On a minion..."),
      description: minion,
      detail: l10n.t("Its name, or a glob"),
      choose: (now) =>
        ask(l10n.t("Jobs on which minion?"), minion, (found) => ({ ...now, minion: found })),
    },
    {
      label: l10n.t("$(calendar) Up to a day..."),
      description: until,
      detail: l10n.t("Begun on that day or before"),
      choose: (now) =>
        ask(
          l10n.t("Jobs up to which day?"),
          until ?? dayOf(Date.now()),
          (found) => ({ ...now, until: found }),
          (typed) => (isDay(typed) ? undefined : l10n.t("Type a day as in 2026-01-31.")),
        ),
    },
  ];
  const clear: FilterItem = {
    label: l10n.t("$(clear-all) Show all jobs"),
    choose: () => Promise.resolve({}),
  };
  return [...states, ...texts, ...(isFiltered(filter) ? [clear] : [])];
}

function stateItem(
  label: string,
  state: JobFilter["state"],
  now: JobFilter["state"],
  detail?: string,
): FilterItem {
  const icon = state === now ? "$(pass-filled)" : "$(circle-large-outline)";
  return {
    label: `${icon} ${label}`,
    detail,
    choose: (filter) => Promise.resolve({ ...filter, state }),
  };
}

async function ask(
  title: string,
  value: string | undefined,
  filtered: (text: string | undefined) => JobFilter,
  check: (text: string) => string | undefined = () => undefined,
): Promise<JobFilter | typeof BACK | undefined> {
  const prompt = l10n.t("Empty: any");
  const answer = await askText({
    ...{ title, value, prompt },
    place: { canGoBack: true },
    check: (text) => (text.trim() === "" ? undefined : check(text.trim())),
  });
  if (answer === undefined || answer === BACK) return answer;
  return filtered(answer.trim() === "" ? undefined : answer.trim());
}
