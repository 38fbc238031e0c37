import { html, nothing, svg, type TemplateResult } from "lit";
import type { ResultsHeader, ResultsView } from "../../extension/webviews/resultsProtocol";
import { groupKey } from "./folding";
import type { ResultsModel } from "./model";

export interface ToolsActions {
  filter: (text: string) => void;
  /** Searches the outputs for what stands in the filter box. */
  search: () => void;
  setView: (view: ResultsView) => void;
  cancel: () => void;
  callAgain: (minions?: readonly string[]) => void;
  /** Those without a result once more, within this job. */
  retry: () => void;
  runAgainOn: () => void;
  /** Opens or closes the time slider. */
  replay: () => void;
  copy: () => void;
  export: () => void;
  compare: () => void;
  clearSelection: () => void;
}

const SEARCH_ICON = html`<svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
  ${svg`<path d="M6.8 2.2a4.6 4.6 0 1 1 0 9.2 4.6 4.6 0 0 1 0-9.2ZM10.2 10.2l3.8 3.8" fill="none" stroke="currentColor" stroke-width="1.3" stroke-linecap="round"/>`}
</svg>`;
const FILTER_HINT = "Filter: text, state:failed, host:web-1*";

/** What can be done with the results: filter, view, and the calls to the host. */
export function toolsView(
  model: ResultsModel,
  header: ResultsHeader,
  actions: ToolsActions,
): TemplateResult {
  return html`<div class="tools">
    ${filterView(model, actions)} ${viewSwitch(model.view, header, actions)}
    ${selectionView(model, actions)}
    <div class="tool-buttons">
      <button type="button" class="button" title="Copy names or results" @click=${actions.copy}>
        Copy…
      </button>
      <button
        type="button"
        class="button"
        title="Compare two selected minions or outputs"
        ?disabled=${comparedPair(model) === undefined}
        @click=${actions.compare}
      >
        Compare
      </button>
      <button
        type="button"
        class="button"
        title="Write whole results to a file"
        @click=${actions.export}
      >
        Export…
      </button>
      <button
        type="button"
        class="button"
        title="Show the job as it stood at any moment"
        aria-pressed=${model.replay ? "true" : "false"}
        @click=${actions.replay}
      >
        Replay
      </button>
      ${callButtons(model, header, actions)}
    </div>
  </div>`;
}

function filterView(model: ResultsModel, actions: ToolsActions): TemplateResult {
  return html`<span class="filter-box">
    <input
      type="text"
      class="filter"
      spellcheck="false"
      placeholder=${FILTER_HINT}
      aria-label=${FILTER_HINT}
      title="Enter searches in the whole outputs, Escape clears"
      .value=${model.list.filter}
      @input=${(event: InputEvent) => {
        if (event.target instanceof HTMLInputElement) actions.filter(event.target.value);
      }}
      @keydown=${(event: KeyboardEvent) => {
        if (event.key === "Enter") actions.search();
        if (event.key === "Escape") actions.filter("");
      }}
    />
    <button
      type="button"
      class="glass"
      title="Search Outputs: the whole results, at the overlord"
      aria-label="Search Outputs"
      ?disabled=${model.list.searchText === ""}
      @click=${actions.search}
    >
      ${SEARCH_ICON}
    </button>
  </span>`;
}

function viewSwitch(
  view: ResultsView,
  { live }: ResultsHeader,
  actions: ToolsActions,
): TemplateResult {
  const choice = (value: ResultsView, label: string): TemplateResult =>
    html`<button
      type="button"
      aria-pressed=${view === value ? "true" : "false"}
      @click=${() => actions.setView(value)}
    >
      ${label}
    </button>`;
  return html`<span class="switch" role="group" aria-label="Arrange results"
    >${choice("output", "By output")}${choice("minion", "By minion")}${
      live || view === "live" ? choice("live", "Live") : nothing
    }</span
  >`;
}

function selectionView(
  { selection, list }: ResultsModel,
  actions: ToolsActions,
): TemplateResult | typeof nothing {
  if (selection.size > 0) {
    return html`<span class="meta" role="status">${selection.size.toLocaleString()} selected</span>
      <button type="button" class="link" @click=${actions.clearSelection}>Clear</button>`;
  }
  const shown = list.shown().length;
  if (shown === list.size) return nothing;
  return html`<span class="meta" role="status"
    >${shown.toLocaleString()} of ${list.size.toLocaleString()} shown</span
  >`;
}

function callButtons(
  model: ResultsModel,
  header: ResultsHeader,
  actions: ToolsActions,
): TemplateResult {
  const { selection, list } = model;
  if (!header.finished) {
    return html`<button
      type="button"
      class="button primary"
      ?disabled=${header.readOnly || header.cancelRequested}
      @click=${actions.cancel}
    >
      ${header.cancelRequested ? "Cancelling…" : "Cancel"}
    </button>`;
  }
  const again = (label: string, call: () => void): TemplateResult =>
    html`<button type="button" class="button" ?disabled=${header.readOnly} @click=${call}>
      ${label}
    </button>`;
  if (selection.size > 0) {
    const label = `Call Again on ${selection.size.toLocaleString()} Selected`;
    return again(label, () => actions.callAgain(selection.all()));
  }
  const unsuccessful = list.size - (list.counts().get("succeeded") ?? 0);
  return html`${
    unsuccessful > 0 && !model.isReplaying
      ? again(`Retry ${unsuccessful.toLocaleString()} Failed`, actions.retry)
      : nothing
  }${again("Run Again On…", actions.runAgainOn)}${again("Call Again", () => actions.callAgain())}`;
}

/**
 * The two minions that a comparison is about: the two that are selected, or one of each of the two
 * outputs that the selected ones gave.
 */
export function comparedPair({ selection, list }: ResultsModel): [string, string] | undefined {
  if (selection.size < 2) return undefined;
  const selected = selection.all();
  if (selected.length === 2) return pairOf(selected);
  const firstOfEach = new Map<string, string>();
  for (const minion of selected) {
    const row = list.get(minion);
    const key = row && groupKey(row);
    if (key === undefined || firstOfEach.has(key)) continue;
    firstOfEach.set(key, minion);
    if (firstOfEach.size > 2) return undefined;
  }
  return pairOf([...firstOfEach.values()]);
}

function pairOf([left, right]: readonly string[]): [string, string] | undefined {
  return left === undefined || right === undefined ? undefined : [left, right];
}
