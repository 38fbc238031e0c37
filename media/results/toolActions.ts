import type { FromResults } from "../../extension/webviews/resultsProtocol";
import { selectedInOrder } from "./clipboard";
import { minionsOf } from "./listItems";
import type { ResultsModel } from "./model";
import type { SearchActions } from "./searchView";
import { comparedPair, type ToolsActions } from "./toolsView";

export interface ToolsHost {
  post: (message: FromResults) => void;
  /** Keeps the state for the next life of the webview, and draws. */
  remember: () => void;
}

/** What the tools above the list do. */
export function toolActions(
  model: ResultsModel,
  { post, remember }: ToolsHost,
): Omit<ToolsActions, "replay"> & SearchActions {
  const chosen = (): string[] =>
    model.selection.size > 0
      ? selectedInOrder(model)
      : model.list.shown().map(({ minion }) => minion);
  const endSearch = (): void => {
    if (!model.searches.current) return;
    if (model.searches.current.state === "running") post({ type: "cancelSearch" });
    model.searches.end();
    model.found();
  };
  return {
    filter: (text) => {
      // what is typed from now on filters the rows again
      endSearch();
      model.setFilter(text, model.list.kind);
      remember();
    },
    search: () => {
      const text = model.list.searchText;
      if (text === "") return;
      const search = model.searches.begin(text, model.header?.finished !== true);
      model.found();
      post({ type: "search", search, text });
      remember();
    },
    cancelSearch: () => {
      model.searches.cancel();
      post({ type: "cancelSearch" });
      remember();
    },
    endSearch: () => {
      endSearch();
      remember();
    },
    setView: (view) => {
      if (view !== model.view && (view === "live" || model.view === "live")) {
        model.live.clear();
        post({ type: "watchLive", watch: view === "live" });
      }
      model.setView(view);
      post({ type: "view", view });
      remember();
    },
    cancel: () => post({ type: "cancel" }),
    retry: () => post({ type: "retry" }),
    runAgainOn: () => post({ type: "runAgainOn" }),
    callAgain: (minions) => {
      post({ type: "callAgain", minions: minions === undefined ? undefined : [...minions] });
    },
    copy: () => post({ type: "copy", minions: chosen() }),
    export: () => post({ type: "export", minions: chosen() }),
    compare: () => {
      const pair = comparedPair(model);
      if (pair) post({ type: "compare", minions: pair });
    },
    clearSelection: () => {
      model.selection.clear();
      remember();
    },
  };
}

/** Does what a context menu's entry asks for the item with the key `item`. */
export function menuAction(
  model: ResultsModel,
  action: "copy" | "callAgain",
  key: string,
  post: (message: FromResults) => void,
): void {
  const item = model.items()[model.indexOf(key) ?? -1];
  if (!item) return;
  const minions = minionsOf(item);
  // one of several that are selected stands for all of them
  const isSelected = action === "copy" && minions.every((minion) => model.selection.has(minion));
  post({ type: action, minions: isSelected ? selectedInOrder(model) : minions });
}
