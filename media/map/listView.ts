import { html, type TemplateResult } from "lit";
import { ref } from "lit/directives/ref.js";
import { repeat } from "lit/directives/repeat.js";
import { contextOf } from "./cardView";
import { hostIcon } from "./hostIcon";
import type { MapActions } from "./mapActions";
import type { MapModel } from "./mapModel";
import { minionCount, spokenHost } from "./words";

/** In pixels; the style sheet says the same. */
export const LIST_ROW = 24;
const INDENT = 14;
/** Rows that are drawn beyond the window, so that nothing is missing while one scrolls. */
const SPARE = 6;

/** Where the list is scrolled to. */
export interface ListWindow {
  scrollTop: number;
  height: number;
}

/** The tree as rows: only those in sight exist, and the selected one, which has the keyboard's focus. */
export function listView(
  model: MapModel,
  { scrollTop, height }: ListWindow,
  actions: MapActions,
): TemplateResult {
  const { order } = model.layout;
  const first = Math.max(0, Math.floor(scrollTop / LIST_ROW) - SPARE);
  const end = Math.min(order.length, Math.ceil((scrollTop + height) / LIST_ROW) + SPARE);
  const indexes = Array.from({ length: Math.max(0, end - first) }, (_, at) => first + at);
  const selected = order.indexOf(model.selected);
  if (selected >= 0 && (selected < first || selected >= end)) indexes.push(selected);
  return html`<div
    class="list"
    tabindex="0"
    role="tree"
    aria-label="Delegation map"
    data-vscode-context=${contextOf(model, model.selected)}
    aria-activedescendant=${`host-${model.selected}`}
    ${ref(actions.viewport)}
    @scroll=${actions.scrolled}
    @keydown=${actions.listKey}
  >
    <div class="rows" role="presentation" .style=${`height: ${order.length * LIST_ROW}px`}>
      ${repeat(
        indexes,
        (index) => order[index],
        (index) => rowView(model, order[index] ?? 0, index, actions),
      )}
    </div>
  </div>`;
}

function rowView(
  model: MapModel,
  place: number,
  index: number,
  actions: MapActions,
): TemplateResult {
  const { tree, expanded, selected, callPath } = model;
  const state = model.stateOf(place);
  const overlord = tree.isOverlord(place);
  const brothers = place === 0 ? [0] : tree.childrenOf(tree.parentOf(place));
  const open = expanded.has(place);
  const onPath = place !== selected && callPath.includes(place);
  const style = `top: ${index * LIST_ROW}px; padding-left: ${8 + tree.depthOf(place) * INDENT}px`;
  // not `aria-expanded`, which would be said of leaves too
  return html`<div
    id=${`host-${place}`}
    class="row ${onPath ? "on-path" : ""}"
    role="treeitem"
    aria-label=${spokenHost(model, place)}
    aria-level=${tree.depthOf(place) + 1}
    aria-setsize=${brothers.length}
    aria-posinset=${brothers.indexOf(place) + 1}
    aria-selected=${place === selected ? "true" : "false"}
    .ariaExpanded=${overlord ? String(open) : null}
    data-vscode-context=${contextOf(model, place)}
    .style=${style}
    @click=${() => actions.select(place)}
    @dblclick=${() => actions.toggle(place)}
  >
    <span
      class="twistie"
      @click=${(event: Event) => {
        event.stopPropagation();
        actions.toggle(place);
      }}
      >${overlord ? (open ? "▾" : "▸") : ""}</span
    >
    ${hostIcon(place === 0 ? "online" : state.kind, state.running > 0)}
    <span class="name">${tree.nameOf(place)}</span>
    ${overlord ? html`<span class="dim">${minionCount(tree.behind(place))}</span>` : ""}
  </div>`;
}
