import { l10n } from "vscode";
import { targetsText, type JobQuery, type JobSummary } from "../../server/protocol/jobs";
import { hasProblems } from "../jobs/jobOutcome";
import { dayRange } from "./jobDays";

/** Which jobs the view "Jobs" shows; all that is given must fit. */
export interface JobFilter {
  state?: "running" | "problems";
  /** Found, without case, in id, targets, method or arguments as shown. */
  text?: string;
  /** Glob on the names of the job's minions. */
  minion?: string;
  /** Begun on this day, "2026-01-31", or before. */
  until?: string;
}

export function isFiltered({ state, ...others }: JobFilter): boolean {
  return state !== undefined || isNarrowed(others);
}

/** Whether it leaves out jobs that run. */
export function isNarrowed({ text, minion, until }: JobFilter): boolean {
  return text !== undefined || minion !== undefined || until !== undefined;
}

/** What the overlord is asked for, but for the state. */
export function filterQuery({ text, minion, until }: JobFilter): JobQuery {
  return {
    ...(text !== undefined && { text }),
    ...(minion !== undefined && { minion }),
    ...(until !== undefined && { untilMs: dayRange(until).untilMs - 1 }),
  };
}

/** Whether a job is to be shown; undefined where only the overlord can say, which knows its minions. */
export function fitsFilter(job: JobSummary, filter: JobFilter): boolean | undefined {
  const { state, text, minion, until } = filter;
  if (state === "running" && job.finished) return false;
  if (until !== undefined && job.createdAtMs >= dayRange(until).untilMs) return false;
  if (state === "problems" && !hasProblems(job)) return false;
  if (text !== undefined && !containsText(job, text)) return false;
  return minion === undefined ? true : undefined;
}

/** "with problems, with "nginx", on web*, up to 2026-01-31". */
export function filterText({ state, text, minion, until }: JobFilter): string {
  const parts = [
    state === "running" ? l10n.t("running") : undefined,
    state === "problems" ? l10n.t("with problems") : undefined,
    text === undefined ? undefined : l10n.t('with "{0}"', text),
    minion === undefined ? undefined : l10n.t("on {0}", minion),
    until === undefined ? undefined : l10n.t("up to {0}", until),
  ];
  return parts.filter((part) => part !== undefined).join(", ");
}

function containsText(job: JobSummary, text: string): boolean {
  const call = `${job.module}.${job.method}`;
  const wanted = text.toLowerCase();
  return [job.id, targetsText(job), call, job.argsText].some((where) =>
    where.toLowerCase().includes(wanted),
  );
}
