import { html, nothing, type TemplateResult } from "lit";
import { ref } from "lit/directives/ref.js";
import { repeat } from "lit/directives/repeat.js";
import type { SortColumn } from "../../extension/webviews/resultsProtocol";
import { groupView } from "./groupView";
import type { ListItem } from "./listItems";
import type { ResultsModel } from "./model";
import { rowView, type ItemActions, type ItemPlace } from "./rowView";

export interface ListActions extends ItemActions {
  key: (event: KeyboardEvent) => void;
  scrolled: () => void;
  /** The element that scrolls, undefined when it goes. */
  viewport: (element: Element | undefined) => void;
  sort: (by: SortColumn) => void;
  selectAllShown: () => void;
  /** Searches the outputs for what stands in the filter box. */
  search: () => void;
}

/** Where the list is scrolled to. */
export interface Viewport {
  scrollTop: number;
  height: number;
}

/** The list: only the items in sight exist, and the one that has the keyboard's focus. */
export function listView(
  model: ResultsModel,
  viewport: Viewport,
  actions: ListActions,
): TemplateResult {
  const items = model.items();
  if (items.length === 0) return emptyView(model, actions);
  const layout = model.layout();
  const { first, end } = layout.visible(viewport.scrollTop, viewport.height);
  const indexes = Array.from({ length: end - first }, (_, at) => first + at);
  const active = model.indexOf(model.active) ?? 0;
  if (active < first || active >= end) indexes.push(active);
  return html`
    <div
      class="grid by-${model.view}"
      role="grid"
      aria-label="Results by ${model.view}"
      aria-rowcount=${items.length + 1}
      aria-multiselectable="true"
    >
      ${columnsView(model, actions)}
      <div
        class="viewport"
        role="presentation"
        ${ref(actions.viewport)}
        @scroll=${actions.scrolled}
        @keydown=${actions.key}
      >
        <div class="canvas" role="presentation" .style=${`height: ${layout.height}px`}>
          ${repeat(
            indexes,
            (index) => items[index]?.key,
            (index) => {
              const item = items[index];
              const place = { index, active: index === active };
              return item && placedView(model, item, place, layout.top(index), actions);
            },
          )}
        </div>
      </div>
    </div>
  `;
}

function emptyView({ list, searches }: ResultsModel, actions: ListActions): TemplateResult {
  if (list.size === 0) return html`<p class="empty">No results yet.</p>`;
  if (searches.current) {
    const running = searches.current.state === "running";
    return html`<p class="empty">${running ? "Nothing found so far." : "Found nowhere."}</p>`;
  }
  return html`<p class="empty">
    No result matches the filter.
    ${
      list.searchText === ""
        ? nothing
        : html`<button type="button" class="link" @click=${actions.search}>
            Search the whole outputs for “${list.searchText}”
          </button>`
    }
  </p>`;
}

/** `.style` and not `style`: the page's policy allows no style attributes, only what scripts set. */
function placedView(
  model: ResultsModel,
  item: ListItem,
  place: ItemPlace,
  top: number,
  actions: ListActions,
): TemplateResult {
  return html`<div class="item" role="rowgroup" .style=${`top: ${top}px`}>
    ${
      item.kind === "group"
        ? groupView(model, item, place, actions)
        : rowView(model, item, place, actions)
    }
  </div>`;
}

function columnsView(model: ResultsModel, actions: ListActions): TemplateResult {
  return html`<div class="columns" role="row" aria-rowindex="1">
    <span role="columnheader" class="check">${allTick(model, actions)}</span>
    ${
      model.view === "output"
        ? html`<span role="columnheader">Minions</span
            ><span role="columnheader"><span class="visually-hidden">Names</span></span
            ><span role="columnheader" class="aside">Result</span>`
        : COLUMNS.map(([by, title]) => columnView(model, by, title, actions))
    }
  </div>`;
}

const COLUMNS: readonly (readonly [SortColumn, string])[] = [
  ["state", "State"],
  ["minion", "Minion"],
  ["result", "Result"],
  ["time", "Time"],
];

function columnView(
  { list: { order } }: ResultsModel,
  by: SortColumn,
  title: string,
  actions: ListActions,
): TemplateResult {
  const direction = order.descending ? "descending" : "ascending";
  const sorted = order.by === by;
  return html`<span role="columnheader" class=${by} aria-sort=${sorted ? direction : nothing}
    ><button type="button" title="Sort by this" @click=${() => actions.sort(by)}>
      ${title}${
        sorted ? html`<span aria-hidden="true">${order.descending ? " ▾" : " ▴"}</span>` : nothing
      }
    </button></span
  >`;
}

function allTick({ list, selection }: ResultsModel, actions: ListActions): TemplateResult {
  const rows = list.shown();
  const all = selection.size >= rows.length && rows.every(({ minion }) => selection.has(minion));
  return html`<input
    type="checkbox"
    aria-label="Select all that are shown"
    title="Select all that are shown"
    .checked=${all}
    .indeterminate=${selection.size > 0 && !all}
    @click=${actions.selectAllShown}
  />`;
}
