import { html, nothing, type TemplateResult } from "lit";
import { ref } from "lit/directives/ref.js";
import type { ResultRow } from "../../extension/webviews/resultsProtocol";
import { detailView, type DetailActions } from "./detailView";
import { formatDuration } from "./format";
import { icon } from "./kinds";
import type { ListItem } from "./listItems";
import type { ResultsModel } from "./model";
import { splitMatch } from "./outputSearch";
import { viaView } from "./viaView";

export interface ItemActions extends DetailActions {
  /** A click on an item, with the keys that were held. */
  click: (event: MouseEvent, item: ListItem) => void;
  /** Its box was ticked or unticked. */
  tick: (event: MouseEvent, item: ListItem) => void;
  focused: (key: string) => void;
  /** An item of no fixed height is drawn, to be measured. */
  measure: (key: string, element: Element | undefined) => void;
}

/** Where an item stands in the list. */
export interface ItemPlace {
  index: number;
  active: boolean;
}

/** One minion: its state, its result on one line, its time; with the whole result below while it is open. */
export function rowView(
  model: ResultsModel,
  item: Extract<ListItem, { kind: "minion" }>,
  { index, active }: ItemPlace,
  actions: ItemActions,
): TemplateResult {
  const { row, key, place } = item;
  const detail = model.details.get(row.minion);
  const selected = model.selection.has(row.minion);
  const id = `detail-${row.minion}`;
  return html`<div
    class="lines ${place}"
    role="presentation"
    ${ref((element) => actions.measure(key, detail ? element : undefined))}
  >
    <div
      class="row ${active ? "active" : ""} ${selected ? "selected" : ""}"
      role="row"
      aria-rowindex=${index + 2}
      aria-selected=${selected ? "true" : "false"}
      data-vscode-context=${rowContext(model, key, row.minion)}
      @click=${(event: MouseEvent) => actions.click(event, item)}
    >
      <span role="gridcell" class="check"
        >${tickView(selected, false, row.minion, item, actions)}</span
      >
      <span role="gridcell" class="state">${icon(row.kind)}<span>${row.label}</span></span>
      <span role="gridcell" class="minion"
        ><button
          type="button"
          data-minion=${row.minion}
          data-item=${key}
          tabindex=${active ? 0 : -1}
          aria-expanded=${detail ? "true" : "false"}
          aria-controls=${detail ? id : nothing}
          @focus=${() => actions.focused(key)}
        >
          <span class="twist ${detail ? "open" : ""}" aria-hidden="true"></span
          >${row.minion}</button
        >${viaView(row)}</span
      >
      ${textCell(model, row)}
      <span role="gridcell" class="time"
        >${row.durationMs === undefined ? nothing : formatDuration(row.durationMs)}</span
      >
    </div>
    ${
      detail
        ? html`<div role="row" class="detail" id=${id}>
            <div role="gridcell" aria-colspan="5">${detailView(row.minion, detail, actions)}</div>
          </div>`
        : nothing
    }
  </div>`;
}

/** The box that selects an item. The keyboard does it with Space on the item itself. */
export function tickView(
  checked: boolean,
  some: boolean,
  name: string,
  item: ListItem,
  actions: ItemActions,
): TemplateResult {
  return html`<input
    type="checkbox"
    tabindex="-1"
    aria-label="Select ${name}"
    .checked=${checked}
    .indeterminate=${some && !checked}
    @click=${(event: MouseEvent) => {
      event.stopPropagation();
      actions.tick(event, item);
    }}
  />`;
}

/** What VS Code's context menu is told about the item that it was opened on. */
export function rowContext(model: ResultsModel, key: string, minion: string): string {
  const [only, ...others] = model.selection.all();
  const compareWith = others.length === 0 && only !== minion ? only : undefined;
  return JSON.stringify({
    webviewSection: "result",
    funcItem: key,
    funcMinion: minion,
    funcCompareWith: compareWith,
    preventDefaultContextMenuItems: true,
  });
}

/** The result on one line; of a search, the line that contains what was searched for. */
function textCell(model: ResultsModel, row: ResultRow): TemplateResult {
  const line = model.searches.current?.lines.get(row.minion);
  if (line !== undefined) {
    return html`<span role="gridcell" class="text"
      >${markedLine(line, model.searches.current?.text ?? "")}</span
    >`;
  }
  if (row.progress) return progressCell(row.progress);
  return html`<span role="gridcell" class="text ${row.explains ? "problem" : ""}"
    >${row.text}</span
  >`;
}

function progressCell({ done, total }: { done: number; total: number }): TemplateResult {
  const share = total > 0 ? Math.min(1, done / total) : 0;
  return html`<span role="gridcell" class="text progress"
    ><span class="track" aria-hidden="true"
      ><span class="done" .style=${`width: ${share * 100}%`}></span></span
    >${done.toLocaleString()} of ${total.toLocaleString()}</span
  >`;
}

/** A line with its first match marked. */
export function markedLine(line: string, text: string): TemplateResult {
  const pieces = splitMatch(line, text);
  if (!pieces) return html`${line}`;
  return html`${pieces[0]}<mark>${pieces[1]}</mark>${pieces[2]}`;
}
