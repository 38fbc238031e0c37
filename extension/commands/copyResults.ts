import { env, l10n, window, type QuickPickItem } from "vscode";
import type { TrackedJob } from "../jobs/trackedJob";
import type { ResultRow } from "../webviews/resultsProtocol";

type CopyItem = QuickPickItem & { textOf: (row: ResultRow) => string; heading?: string };

/** Copies these minions' names or results, as the user chooses; each takes one line. */
export async function copyResults(job: TrackedJob, minions: readonly string[]): Promise<void> {
  const items: CopyItem[] = [
    { label: l10n.t("Names"), detail: l10n.t("One on each line"), textOf: ({ minion }) => minion },
    {
      label: l10n.t("Results as Text"),
      detail: l10n.t("Name, state and the first line of the result"),
      textOf: ({ minion, label, text }) => `${minion}: ${label}: ${text}`,
    },
    {
      label: l10n.t("Results as a Table"),
      detail: l10n.t("The same with tabs in between, to be pasted into a spreadsheet"),
      textOf: tableLine,
      heading: ["minion", "state", "seconds", "result"].join("\t"),
    },
  ];
  const title =
    minions.length === 1 ? l10n.t("Copy 1 Minion") : l10n.t("Copy {0} Minions", minions.length);
  // the page takes the focus back where its menu closes late
  const chosen = await window.showQuickPick(items, { title, ignoreFocusOut: true });
  if (!chosen) return;
  const rows = minions
    .map((minion) => job.state?.rows.get(minion))
    .filter((row) => row !== undefined);
  const lines = rows.map((row) => chosen.textOf(row));
  const text = [...(chosen.heading === undefined ? [] : [chosen.heading]), ...lines].join("\n");
  await env.clipboard.writeText(text);
}

function tableLine({ minion, label, durationMs, text }: ResultRow): string {
  const seconds = durationMs === undefined ? "" : (durationMs / 1_000).toFixed(3);
  return [minion, label, seconds, text.replaceAll("\t", " ")].join("\t");
}
