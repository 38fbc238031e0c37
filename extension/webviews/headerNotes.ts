import { l10n } from "vscode";
import type { JobSummary } from "../../server/protocol/jobs";

/** What else there is to know about a job, each in a few words. */
export function headerNotes(summary: JobSummary): string[] {
  const { attempts = 1, batch, maxErrors, startedBy } = summary;
  const notes: string[] = [];
  if (startedBy === "cli") notes.push(l10n.t("started by the command line"));
  if (startedBy === "funcd") {
    notes.push(l10n.t("for {0}", summary.originator ?? l10n.t("an overlord above")));
  }
  if (startedBy === "library") notes.push(l10n.t("started by a program"));
  if (summary.async) notes.push(l10n.t("async"));
  if (attempts > 1) notes.push(l10n.t("attempt {0}", attempts));
  if (batch?.canary !== undefined) notes.push(l10n.t("first {0}", batch.canary));
  if (batch?.size !== undefined) notes.push(l10n.t("in steps of {0}", batch.size));
  if (maxErrors !== undefined) {
    notes.push(
      maxErrors === 1 ? l10n.t("at most 1 error") : l10n.t("at most {0} errors", maxErrors),
    );
  }
  return notes;
}
