import type { ResultsState, ResultsView, RowKind } from "../../extension/webviews/resultsProtocol";
import { KINDS } from "./kinds";
import type { ResultsModel } from "./model";
import type { SortOrder } from "./rowOrder";

/** More selected names than these are not kept over a reload: VS Code stores the state. */
const MAX_SELECTED = 1_000;

/** What the next life of this webview needs: VS Code destroys it when it is hidden. */
export function stateOf(model: ResultsModel, jobId: string): ResultsState {
  const { filter, kind, order } = model.list;
  const { selection } = model;
  return {
    jobId,
    view: model.view,
    filter,
    kind,
    sort: order,
    selected: selection.size <= MAX_SELECTED ? [...selection.all()] : undefined,
    searching: model.searches.current !== undefined,
  };
}

/** Takes back what can be understood of an earlier life's state. */
export function restoreState(model: ResultsModel, state: ResultsState): void {
  model.setFilter(state.filter ?? "", isKind(state.kind) ? state.kind : undefined);
  if (isView(state.view)) model.setView(state.view);
  if (state.sort) model.setOrder(orderOf(state.sort));
  model.selection.set(state.selected ?? []);
}

export function isView(text: string | undefined): text is ResultsView {
  return text === "output" || text === "minion" || text === "live";
}

function orderOf({ by, descending }: { by: string; descending: boolean }): SortOrder {
  switch (by) {
    case "state":
    case "result":
    case "time":
      return { by, descending };
    default:
      return { by: "minion", descending };
  }
}

function isKind(text: string | undefined): text is RowKind {
  return KINDS.some((kind) => kind === text);
}
