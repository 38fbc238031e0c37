import { l10n, MarkdownString } from "vscode";
import { targetsText, type BatchPlan, type JobSummary } from "../../server/protocol/jobs";
import { dateText } from "../dateText";
import { elapsedText } from "../duration";
import { fullOutcome } from "../jobs/jobOutcome";

/** A tooltip is no place for more of it. */
const MAX_VALUE = 400;

/** All that is known of a job but its results. */
export function jobTooltip(job: JobSummary): MarkdownString {
  const text = new MarkdownString();
  text.appendMarkdown(`### ${escaped(`${job.module}.${job.method}`)}\n\n`);
  const line = (label: string, value: string | undefined): void => {
    if (value === undefined || value === "") return;
    text.appendMarkdown(`**${label}** ${escaped(value)}  \n`);
  };
  line(l10n.t("State"), fullOutcome(job));
  line(l10n.t("Warning"), job.warning);
  line(l10n.t("Targets"), targetsText(job));
  line(l10n.t("Minions"), String(job.total));
  line(l10n.t("Arguments"), job.argsText);
  line(
    l10n.t("Delegated"),
    job.delegate ? l10n.t("also to minions behind sub-overlords") : undefined,
  );
  line(l10n.t("Kind"), job.async ? l10n.t("asynchronous") : undefined);
  line(l10n.t("Batches"), job.batch && batchText(job.batch));
  line(
    l10n.t("Stops after"),
    job.maxErrors === undefined ? undefined : l10n.t("more than {0} failures", job.maxErrors),
  );
  line(
    l10n.t("Attempts"),
    job.attempts === undefined || job.attempts < 2 ? undefined : String(job.attempts),
  );
  line(l10n.t("Started"), startedText(job));
  if (job.finishedAtMs !== undefined) {
    line(
      l10n.t("Finished"),
      l10n.t(
        "{0}, after {1}",
        dateText(job.finishedAtMs),
        elapsedText(job.finishedAtMs - job.createdAtMs),
      ),
    );
  }
  line(l10n.t("Job ID"), job.id);
  return text;
}

function startedText({ createdAtMs, startedBy, originator }: JobSummary): string {
  const at = dateText(createdAtMs);
  if (originator !== undefined) return l10n.t("{0}, for the overlord {1} above", at, originator);
  return startedBy === undefined ? at : l10n.t("{0}, {1}", at, STARTERS[startedBy]());
}

const STARTERS: Record<NonNullable<JobSummary["startedBy"]>, () => string> = {
  extension: () => l10n.t("from VS Code"),
  cli: () => l10n.t("from the command line"),
  library: () => l10n.t("by a program"),
  overlord: () => l10n.t("by the overlord"),
  funcd: () => l10n.t("for an overlord above"),
};

function batchText({ canary, size }: BatchPlan): string {
  const first = canary === undefined ? undefined : l10n.t("first {0}", canary);
  const rest = size === undefined ? undefined : l10n.t("{0} at a time", size);
  return [first, rest].filter((part) => part !== undefined).join(", ");
}

/** What people, programs and hosts write is no Markdown of ours. */
function escaped(text: string): string {
  const cut = text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}…` : text;
  return cut.replace(/[\\`*_{}[\]()#+\-!|<>&~$]/g, "\\$&").replace(/\s+/g, " ");
}
