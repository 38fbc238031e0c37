import { html, nothing, type TemplateResult } from "lit";
import { hostIcon } from "./hostIcon";
import type { MapActions } from "./mapActions";
import type { MapModel } from "./mapModel";
import { minionCount, timeWords } from "./words";

/** The search, the buttons, and the figures of the whole map. */
export function toolbarView(model: MapModel, actions: MapActions): TemplateResult {
  const { map, tree, list } = model;
  if (!map) return html``;
  const tiers = tree.tiers === 1 ? "1 tier" : `${tree.tiers} tiers`;
  return html`<header class="toolbar">
    ${searchBox(model, actions)}
    <div class="buttons" role="group" aria-label="Drawing">
      ${toolButton("−", "Smaller", () => actions.zoom(1 / 1.3))}
      ${toolButton("+", "Larger", () => actions.zoom(1.3))}
      ${toolButton("Fit", "Show all of the map", actions.fit)}
      ${toolButton("Expand", "Open all sub-overlords", actions.expandAll)}
      ${toolButton("Collapse", "Fold all sub-overlords", actions.collapseAll)}
      <button
        type="button"
        class="button"
        aria-pressed=${list ? "true" : "false"}
        title="The same as a list, for the keyboard and screen readers"
        @click=${actions.toggleList}
      >
        List
      </button>
    </div>
    <div class="buttons" role="group" aria-label="Map">
      ${toolButton("Refresh", "Ask anew for the map and how its hosts stand", actions.refresh)}
      ${
        map.readOnly
          ? nothing
          : toolButton("Rebuild", "Ask all sub-overlords who stands behind them", actions.build)
      }
    </div>
    <div class="status">
      <span class="meta" title=${map.file}
        >${minionCount(tree.size)} · ${tiers} · ${timeWords(map.changedAtMs)}</span
      >
      ${figures(model)}
    </div>
  </header>`;
}

function searchBox({ query, hits, selected }: MapModel, actions: MapActions): TemplateResult {
  const at = hits.indexOf(selected);
  const found =
    query.trim() === ""
      ? ""
      : hits.length === 0
        ? "nothing found"
        : at < 0
          ? `${hits.length.toLocaleString()} found`
          : `${(at + 1).toLocaleString()} of ${hits.length.toLocaleString()}`;
  return html`<div class="find" role="search">
    <input
      type="text"
      class="query"
      placeholder="Find a minion or glob"
      aria-label="Find a minion by a part of its name, or by a glob. Enter goes to the next."
      spellcheck="false"
      .value=${query}
      @input=${(event: InputEvent) => actions.search((event.target as HTMLInputElement).value)}
      @keydown=${(event: KeyboardEvent) => {
        if (event.key === "Enter") actions.jump(event.shiftKey);
        if (event.key === "Escape") actions.search("");
      }}
    />
    <span class="found" role="status">${found}</span>
  </div>`;
}

function toolButton(text: string, title: string, press: () => void): TemplateResult {
  return html`<button
    type="button"
    class="button"
    title=${title}
    aria-label=${`${text}: ${title}`}
    @click=${press}
  >
    ${text}
  </button>`;
}

function figures(model: MapModel): TemplateResult {
  const { traffic } = model;
  return html`<span class="figures">
    <span title="Reachable, as far as it was seen"
      >${hostIcon("online")}${model.countOf("online").toLocaleString()}<span
        class="visually-hidden"
      >
        reachable</span
      ></span
    >
    <span title="Unreachable"
      >${hostIcon("unreachable")}${model.countOf("unreachable").toLocaleString()}<span
        class="visually-hidden"
      >
        unreachable</span
      ></span
    >
    <span title="Not called yet"
      >${hostIcon("unknown")}${model.countOf("unknown").toLocaleString()}<span
        class="visually-hidden"
      >
        not called yet</span
      ></span
    >
    ${
      model.running + traffic.underWay === 0
        ? nothing
        : html`<span title="Jobs run there"
            >${hostIcon("online", true)}${Math.max(
              model.running,
              traffic.underWay,
            ).toLocaleString()}<span class="visually-hidden"> with running jobs</span></span
          >`
    }
  </span>`;
}
