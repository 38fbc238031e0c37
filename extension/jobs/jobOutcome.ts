import { l10n } from "vscode";
import {
  allWell,
  FINAL_STATES,
  type JobSummary,
  type MinionCallState,
} from "../../server/protocol/jobs";

/** How a job stands as a whole, the worst that there is to say about it. */
export type JobOutcome =
  | "running"
  | "cancelling"
  | "succeeded"
  /** Some failed. */
  | "partly"
  /** None succeeded. */
  | "failed"
  /** Nothing worse than minions of which nobody knows whether it ran there. */
  | "lost"
  | "cancelled";

export function jobOutcome(job: JobSummary): JobOutcome {
  if (!job.finished) return job.cancelRequested ? "cancelling" : "running";
  const { cancelled = 0, lost = 0 } = job.counts;
  if (allWell(job)) return "succeeded";
  const succeeded = (job.counts.succeeded ?? 0) - (job.failedCommands ?? 0);
  if (succeeded + cancelled >= job.total) return "cancelled";
  if (succeeded + cancelled + lost >= job.total) return "lost";
  return succeeded > 0 ? "partly" : "failed";
}

/** Finished, and not all succeeded. */
export function hasProblems(job: JobSummary): boolean {
  return job.finished && !allWell(job);
}

/** How many minions are in a final state. */
export function doneCount({ counts }: Pick<JobSummary, "counts">): number {
  return sum(counts, (state) => FINAL_STATES.has(state));
}

/** How many of those that are done did not succeed. */
export function failedCount({
  counts,
  failedCommands = 0,
}: Pick<JobSummary, "counts" | "failedCommands">): number {
  return doneCount({ counts }) - (counts.succeeded ?? 0) + failedCommands;
}

/** Short, for a row: "12 of 100, 3 failed", "3 of 100 failed"; empty where all succeeded. */
export function shortOutcome(job: JobSummary): string {
  const { total } = job;
  const failed = failedCount(job);
  switch (jobOutcome(job)) {
    case "running":
      return failed === 0
        ? l10n.t("{0} of {1}", doneCount(job), total)
        : l10n.t("{0} of {1}, {2} failed", doneCount(job), total, failed);
    case "cancelling":
      return l10n.t("cancelling, {0} of {1}", doneCount(job), total);
    case "succeeded":
      return "";
    case "cancelled":
      return l10n.t("cancelled");
    case "lost":
      return l10n.t("{0} of {1} lost", job.counts.lost ?? 0, total);
    case "partly":
    case "failed":
      return total === 1 ? l10n.t("failed") : l10n.t("{0} of {1} failed", failed, total);
  }
}

/** Whole, for tooltips and ears: "finished: 97 succeeded, 2 unreachable, 1 lost". */
export function fullOutcome(job: JobSummary): string {
  return `${stateText(job)}: ${countsText(job)}`;
}

/** "97 succeeded, 2 unreachable, 1 lost". */
export function countsText({
  counts,
  failedCommands = 0,
}: Pick<JobSummary, "counts" | "failedCommands">): string {
  // a command that ran and failed is told with what failed
  const shown = {
    ...counts,
    succeeded: (counts.succeeded ?? 0) - failedCommands,
    failed: (counts.failed ?? 0) + failedCommands,
  };
  return STATES.flatMap((state) => {
    const count = shown[state] ?? 0;
    return count === 0 ? [] : [`${count} ${STATE_TEXTS[state]()}`];
  }).join(", ");
}

function stateText(job: JobSummary): string {
  if (job.finished) return l10n.t("finished");
  return job.cancelRequested ? l10n.t("being cancelled") : l10n.t("running");
}

const STATE_TEXTS: Record<MinionCallState, () => string> = {
  succeeded: () => l10n.t("succeeded"),
  failed: () => l10n.t("failed"),
  unreachable: () => l10n.t("unreachable"),
  "timed-out": () => l10n.t("timed out"),
  denied: () => l10n.t("denied"),
  lost: () => l10n.t("lost"),
  cancelled: () => l10n.t("cancelled"),
  skipped: () => l10n.t("skipped"),
  expired: () => l10n.t("not reached in time"),
  running: () => l10n.t("running"),
  sent: () => l10n.t("called"),
  queued: () => l10n.t("waiting"),
};

/** In the order in which they are told. */
const STATES = Object.keys(STATE_TEXTS) as MinionCallState[];

function sum(
  counts: Partial<Record<MinionCallState, number>>,
  wanted: (state: MinionCallState) => boolean,
): number {
  return STATES.reduce((total, state) => total + (wanted(state) ? (counts[state] ?? 0) : 0), 0);
}
