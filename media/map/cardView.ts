import { html, nothing, type TemplateResult } from "lit";
import type { HostAction } from "../../extension/webviews/mapProtocol";
import { hostIcon } from "./hostIcon";
import type { MapActions } from "./mapActions";
import type { MapModel } from "./mapModel";
import { certificateWords, minionCount, pathWords, runningWords, stateWords } from "./words";

/** What is known of the selected host, and what can be done with it. */
export function cardView(model: MapModel, actions: MapActions): TemplateResult | typeof nothing {
  const { tree, selected, map } = model;
  if (selected === 0 || !map) return nothing;
  const state = model.stateOf(selected);
  const overlord = tree.isOverlord(selected);
  return html`<aside
    class="card"
    aria-label="The selected host"
    data-vscode-context=${contextOf(model, selected)}
  >
    <h2>
      ${tree.nameOf(selected)} <span class="dim">${overlord ? "sub-overlord" : "minion"}</span>
    </h2>
    <dl>
      ${fact("Call path", pathWords(model, model.callPath))}
      ${overlord ? fact("Behind it", minionCount(tree.behind(selected))) : nothing}
      <dt>State</dt>
      <dd class=${state.kind}>${hostIcon(state.kind)} ${stateWords(state)}</dd>
      ${state.problem === undefined ? nothing : fact("Because", state.problem)}
      ${fact(
        "Certificate",
        state.certificateEndMs === undefined
          ? "known to its overlord"
          : certificateWords(state.certificateEndMs),
      )}
      ${fact("Running", runningWords(state.running))}
    </dl>
    <div class="buttons">
      ${
        map.readOnly
          ? nothing
          : html`${button("Run Command…", "runCommand", selected, actions)}
            ${button("Call Method…", "callMethod", selected, actions)}
            ${button("Ping", "ping", selected, actions)}`
      }
      ${
        overlord
          ? html`<button type="button" class="button" @click=${() => actions.toggle(selected)}>
              ${model.expanded.has(selected) ? "Fold" : "Unfold"}
            </button>`
          : nothing
      }
      <button type="button" class="button" @click=${() => actions.showCallPath(selected)}>
        Show Call Path
      </button>
      ${button("Open Results", "openResults", selected, actions)}
      ${button("Copy Name", "copyName", selected, actions)}
    </div>
  </aside>`;
}

/** What commands of the context menu get as their argument; nothing can be done with this overlord itself. */
export function contextOf(model: MapModel, place: number): string {
  if (place === 0) return JSON.stringify({ preventDefaultContextMenuItems: true });
  return JSON.stringify({
    webviewSection: "host",
    funcPath: model.tree.pathOf(place),
    preventDefaultContextMenuItems: true,
  });
}

function fact(name: string, value: string): TemplateResult {
  return html`<dt>${name}</dt>
    <dd>${value}</dd>`;
}

function button(
  text: string,
  action: HostAction,
  place: number,
  actions: MapActions,
): TemplateResult {
  return html`<button type="button" class="button" @click=${() => actions.act(action, place)}>
    ${text}
  </button>`;
}
