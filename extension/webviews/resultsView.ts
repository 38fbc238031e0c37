import type { Memento } from "vscode";
import type { ResultsView } from "./resultsProtocol";

const KEY = "func.resultsView";

/** How new results panels arrange their results: as was last chosen. */
export function preferredView(memento: Memento): ResultsView {
  return memento.get<unknown>(KEY) === "minion" ? "minion" : "output";
}

export async function preferView(memento: Memento, view: ResultsView): Promise<void> {
  await memento.update(KEY, view);
}
