import type { ResultsModel } from "./model";
import { minionsOf } from "./listItems";

/**
 * Ctrl+C in the list copies the selected rows, or the one that the keyboard is on, as lines with tabs in
 * between; text that is marked with the mouse is copied as usual.
 */
export function copyRows(event: ClipboardEvent, model: ResultsModel): void {
  const inList = event.target instanceof Element && event.target.closest("[data-item]") !== null;
  if (!inList || document.getSelection()?.toString() || !event.clipboardData) return;
  event.clipboardData.setData("text/plain", rowsText(model, copiedMinions(model)));
  event.preventDefault();
}

/** The selected minions in the order shown, else those of the item that the keyboard is on. */
export function copiedMinions(model: ResultsModel): string[] {
  if (model.selection.size > 0) return selectedInOrder(model);
  const item = model.items()[model.indexOf(model.active) ?? -1];
  return item ? minionsOf(item) : [];
}

/** The selection in the order of the list; what the filter hides comes last. */
export function selectedInOrder({ list, selection }: ResultsModel): string[] {
  const shown = list.shown().flatMap(({ minion }) => (selection.has(minion) ? [minion] : []));
  if (shown.length === selection.size) return shown;
  return [...new Set([...shown, ...selection.all()])];
}

function rowsText({ list }: ResultsModel, minions: readonly string[]): string {
  const lines = minions.map((minion) => {
    const row = list.get(minion);
    return row ? `${minion}\t${row.label}\t${row.text}` : minion;
  });
  return lines.join("\n");
}
