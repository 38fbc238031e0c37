import { html, nothing, type TemplateResult } from "lit";
import { ref } from "lit/directives/ref.js";
import { repeat } from "lit/directives/repeat.js";
import type { ResultRow } from "../../extension/webviews/resultsProtocol";
import { detailView, type DetailActions } from "./detailView";
import { formatDuration } from "./format";
import { icon } from "./kinds";
import type { ResultsModel } from "./model";
import { ROW_HEIGHT, RowLayout } from "./rowLayout";

export interface ListActions extends DetailActions {
  toggle: (minion: string) => void;
  focused: (minion: string) => void;
  key: (event: KeyboardEvent) => void;
  scrolled: () => void;
  /** The element that scrolls, undefined when it goes. */
  viewport: (element: Element | undefined) => void;
  /** An opened row's detail is there, to be measured. */
  measure: (minion: string, element: Element | undefined) => void;
}

/** Where the list is scrolled to. */
export interface Viewport {
  scrollTop: number;
  height: number;
}

export function layoutOf(model: ResultsModel): RowLayout {
  const extras = new Map<number, number>();
  if (model.details.size > 0) {
    model.list.shown().forEach(({ minion }, index) => {
      if (model.details.has(minion)) extras.set(index, model.heights.get(minion) ?? ROW_HEIGHT);
    });
  }
  return new RowLayout(model.list.shown().length, extras);
}

/** The list: only the rows in sight exist, and the one that has the keyboard's focus. */
export function listView(
  model: ResultsModel,
  viewport: Viewport,
  actions: ListActions,
): TemplateResult {
  const rows = model.list.shown();
  if (rows.length === 0) return emptyView(model);
  const layout = layoutOf(model);
  const { first, end } = layout.visible(viewport.scrollTop, viewport.height);
  const indexes = Array.from({ length: end - first }, (_, at) => first + at);
  const active = Math.max(
    0,
    rows.findIndex(({ minion }) => minion === model.active),
  );
  if (!indexes.includes(active)) indexes.push(active);
  return html`
    <div class="grid" role="grid" aria-label="Results by minion" aria-rowcount=${rows.length + 1}>
      <div class="columns" role="row" aria-rowindex="1">
        <span role="columnheader">State</span><span role="columnheader">Minion</span
        ><span role="columnheader">Result</span><span role="columnheader" class="time">Time</span>
      </div>
      <div
        class="viewport"
        role="presentation"
        ${ref(actions.viewport)}
        @scroll=${actions.scrolled}
        @keydown=${actions.key}
      >
        <div class="canvas" role="presentation" .style=${`height: ${layout.height}px`}>
          ${repeat(
            indexes.filter((index) => rows[index] !== undefined),
            (index) => rows[index]?.minion,
            (index) => {
              const row = rows[index];
              return (
                row && rowView(model, row, index, layout.top(index), index === active, actions)
              );
            },
          )}
        </div>
      </div>
    </div>
  `;
}

function emptyView(model: ResultsModel): TemplateResult {
  const some = model.list.all().length > 0;
  return html`<p class="empty">${some ? "No result matches the filter." : "No results yet."}</p>`;
}

/** `.style` and not `style`: the page's policy allows no style attributes, only what scripts set. */
function rowView(
  model: ResultsModel,
  row: ResultRow,
  index: number,
  top: number,
  active: boolean,
  actions: ListActions,
): TemplateResult {
  const detail = model.details.get(row.minion);
  const id = `detail-${row.minion}`;
  return html`<div class="item" role="rowgroup" .style=${`top: ${top}px`}>
    <div
      class="row ${active ? "active" : ""}"
      role="row"
      aria-rowindex=${index + 2}
      @click=${() => actions.toggle(row.minion)}
    >
      <span role="gridcell" class="state">${icon(row.kind)}<span>${row.label}</span></span>
      <span role="gridcell" class="minion"
        ><button
          type="button"
          data-minion=${row.minion}
          tabindex=${active ? 0 : -1}
          aria-expanded=${detail ? "true" : "false"}
          aria-controls=${detail ? id : nothing}
          @focus=${() => actions.focused(row.minion)}
        >
          <span class="twist ${detail ? "open" : ""}" aria-hidden="true"></span>${row.minion}
        </button></span
      >
      <span role="gridcell" class="text ${row.explains ? "problem" : ""}">${row.text}</span>
      <span role="gridcell" class="time"
        >${row.durationMs === undefined ? nothing : formatDuration(row.durationMs)}</span
      >
    </div>
    ${
      detail
        ? html`<div
            role="row"
            class="detail"
            id=${id}
            ${ref((element) => actions.measure(row.minion, element))}
          >
            <div role="gridcell" aria-colspan="4">${detailView(row.minion, detail, actions)}</div>
          </div>`
        : nothing
    }
  </div>`;
}
