import { l10n, ThemeColor, ThemeIcon, TreeItem, TreeItemCollapsibleState } from "vscode";
import { targetsText, type JobSummary } from "../../server/protocol/jobs";
import { COMMANDS } from "../commandIds";
import { timeText } from "../dateText";
import {
  doneCount,
  failedCount,
  fullOutcome,
  hasProblems,
  jobOutcome,
  shortOutcome,
  type JobOutcome,
} from "../jobs/jobOutcome";
import { dayLabel } from "./jobDays";
import { jobNodeKey, type JobNode } from "./jobNode";
import { progressRing } from "./progressRing";

type NodeOf<K extends JobNode["kind"]> = Extract<JobNode, { kind: K }>;

/** Of a row's label, beyond which nothing else would fit beside it in a bar of the usual width. */
const MAX_LABEL = 20;
const MAX_TARGETS = 24;
const MAX_QUESTION = 100;

/** The row of a job. */
export function jobItem(node: NodeOf<"job">, job: JobSummary): TreeItem {
  const call = oneLine(callText(job));
  const item = new TreeItem(shortened(oneLine(commandText(job) ?? call), MAX_LABEL));
  item.id = jobNodeKey(node);
  const outcome = shortOutcome(job);
  const targets = oneLine(targetsText(job));
  const time = job.finished ? timeText(job.createdAtMs) : "";
  item.description = [outcome, targetsWords(job), time].filter(Boolean).join(" · ");
  item.iconPath = iconOf(job);
  item.contextValue = contextOf(job);
  item.command = { command: COMMANDS.openJob, title: l10n.t("Open Results"), arguments: [node] };
  const spoken = [call, l10n.t("on {0}", targets), fullOutcome(job), timeText(job.createdAtMs)];
  item.accessibilityInformation = { label: spoken.join(", ") };
  return item;
}

/** The group of those that run. */
export function runningItem(node: NodeOf<"running">, count: number): TreeItem {
  const item = new TreeItem(l10n.t("Running"), TreeItemCollapsibleState.Expanded);
  item.description = String(count);
  item.iconPath = new ThemeIcon("run-all");
  return finish(item, node, "running");
}

/** A day's jobs; `more`: those before it are not all loaded yet, so that it may have others. */
export function dayItem(
  node: NodeOf<"day">,
  jobs: number,
  problems: number,
  more: boolean,
): TreeItem {
  const label = dayLabel(node.day);
  // the days before are looked at more rarely
  const opened = label === l10n.t("Today") || label === l10n.t("Yesterday");
  const { Collapsed, Expanded } = TreeItemCollapsibleState;
  const item = new TreeItem(label, opened ? Expanded : Collapsed);
  const counted = more ? `${jobs}+` : String(jobs);
  item.description =
    problems === 0 ? counted : l10n.t("{0} · {1} with problems", counted, problems);
  item.iconPath = new ThemeIcon("calendar");
  return finish(item, node, "day");
}

/** Loads more jobs, or where there are as many as are ever shown says what else to do. */
export function olderItem(node: NodeOf<"older">, cut: boolean): TreeItem {
  const label = cut ? l10n.t("Older jobs: filter them...") : l10n.t("Show Older...");
  const item = new TreeItem(label);
  item.iconPath = new ThemeIcon(cut ? "filter" : "history");
  const command = cut ? COMMANDS.filterJobs : COMMANDS.showOlderJobs;
  item.command = { command, title: label };
  return finish(item, node, "older");
}

/** `module.method(arguments)`, as the jobs of all views are called. */
export function callText({ module, method, argsText }: JobSummary): string {
  return `${module}.${method}(${argsText})`;
}

/** As callText, on one line of a question. */
export function shortCall(job: JobSummary): string {
  return shortened(oneLine(callText(job)), MAX_QUESTION);
}

/** Of command.run, the command line, which says more than that it is one. */
function commandText({ module, method, argsText }: JobSummary): string | undefined {
  if (module !== "command" || method !== "run") return undefined;
  const [, json = ""] = /^"((?:[^"\\]|\\.)*)/.exec(argsText) ?? [];
  const text = json
    .replace(/\\[nrt]/g, " ")
    .replace(/\\(["\\/])/g, "$1")
    .trim();
  return text === "" ? undefined : text;
}

/** The state's picture without its progress, also for rows of questions: "$(pass)". */
export function iconId(job: JobSummary): string {
  return ICONS[jobOutcome(job)].id;
}

function iconOf(job: JobSummary): TreeItem["iconPath"] {
  const outcome = jobOutcome(job);
  const done = doneCount(job);
  if (outcome === "running" && done > 0) return progressRing(done, failedCount(job), job.total);
  const { id, colour } = ICONS[outcome];
  const spinning = outcome === "running" ? `${id}~spin` : id;
  return new ThemeIcon(spinning, colour === undefined ? undefined : new ThemeColor(colour));
}

/** Shapes differ as well as colours. */
const ICONS: Record<JobOutcome, { id: string; colour?: string }> = {
  running: { id: "loading" },
  cancelling: { id: "stop-circle", colour: "list.warningForeground" },
  succeeded: { id: "pass", colour: "testing.iconPassed" },
  partly: { id: "warning", colour: "list.warningForeground" },
  failed: { id: "error", colour: "testing.iconFailed" },
  lost: { id: "question", colour: "list.warningForeground" },
  cancelled: { id: "circle-slash", colour: "testing.iconSkipped" },
};

/** Flags in a fixed order: what menus are shown by. */
function contextOf(job: JobSummary): string {
  return [
    "job",
    job.finished ? "finished" : "running",
    ...(!job.finished && !job.cancelRequested ? ["cancellable"] : []),
    ...(hasProblems(job) ? ["problems"] : []),
    ...(job.async ? ["async"] : []),
  ].join(";");
}

function finish(item: TreeItem, node: JobNode, contextValue: string): TreeItem {
  item.id = jobNodeKey(node);
  item.contextValue = contextValue;
  return item;
}

/** A long list of names says less than their number. */
function targetsWords(job: JobSummary): string {
  const targets = oneLine(targetsText(job));
  if (targets.length <= MAX_TARGETS) return targets;
  return job.total === 1 ? l10n.t("1 minion") : l10n.t("{0} minions", job.total);
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ");
}

function shortened(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
