import type { Services } from "../services";
import { compareMinions, openResult } from "../webviews/resultsActions";
import type { ResultsPanel } from "../webviews/resultsPanel";

/** What VS Code hands over of the row on which the context menu was opened. */
interface ChosenRow {
  panel: ResultsPanel;
  /** The row or group, as the webview names it. */
  item: string;
  minion: string;
  compareWith: string | undefined;
}

/** Copies the row, or all that are selected with it. */
export async function copyResult(services: Services, context?: unknown): Promise<void> {
  const row = chosenRow(services, context);
  row?.panel.menu("copy", row.item);
}

/** Makes the call again on the minions of the row. */
export async function callAgainOnResult(services: Services, context?: unknown): Promise<void> {
  const row = chosenRow(services, context);
  row?.panel.menu("callAgain", row.item);
}

/** Opens the row's result as a document. */
export async function openResultOfRow(services: Services, context?: unknown): Promise<void> {
  const row = chosenRow(services, context);
  const summary = row?.panel.job.state?.summary;
  if (row && summary) await openResult(services, summary, row.minion, undefined);
}

/** Compares the row with the one that is selected. */
export async function compareWithSelected(services: Services, context?: unknown): Promise<void> {
  const row = chosenRow(services, context);
  if (row?.compareWith === undefined) return;
  await compareMinions(row.panel.job.jobId, [row.compareWith, row.minion]);
}

function chosenRow({ results }: Services, context: unknown): ChosenRow | undefined {
  if (typeof context !== "object" || context === null) return undefined;
  const { funcJob, funcItem, funcMinion, funcCompareWith } = context as Record<string, unknown>;
  const panel = typeof funcJob === "string" ? results.find(funcJob) : undefined;
  if (!panel || typeof funcItem !== "string" || typeof funcMinion !== "string") return undefined;
  const compareWith = typeof funcCompareWith === "string" ? funcCompareWith : undefined;
  return { panel, item: funcItem, minion: funcMinion, compareWith };
}
