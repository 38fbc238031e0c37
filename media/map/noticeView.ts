import { html, nothing, type TemplateResult } from "lit";
import type { MapActions } from "./mapActions";
import type { MapModel } from "./mapModel";

/** What stands in the place of the drawing where there is no map. */
export function emptyView(model: MapModel, actions: MapActions): TemplateResult {
  const { nothing: why } = model;
  if (!why) return html`<p class="empty">Asking the overlord…</p>`;
  return html`<section class="empty">
    <h1>${why.missing ? "There is no delegation map yet" : "The delegation map cannot be read"}</h1>
    ${
      why.missing
        ? html`<p>
            The map says which minions stand behind which sub-overlord. To build it, each minion is
            asked for those behind it.
          </p>`
        : html`<p role="alert">${why.message}</p>
            ${why.nextStep === undefined ? nothing : html`<p>${why.nextStep}</p>`}`
    }
    <div class="buttons">
      ${
        why.readOnly
          ? nothing
          : html`<button type="button" class="button primary" @click=${actions.build}>
              Build Delegation Map
            </button>`
      }
      ${
        why.missing
          ? nothing
          : html`<button type="button" class="button" @click=${actions.openFile}>Open Map</button>`
      }
      <button type="button" class="button" @click=${actions.refresh}>Refresh</button>
    </div>
  </section>`;
}

/** That the file is damaged, and where, while the last good map shows. */
export function problemView(model: MapModel, actions: MapActions): TemplateResult | typeof nothing {
  const problem = model.map?.problem;
  if (problem === undefined) return nothing;
  return html`<div class="notice" role="alert">
    <span><strong>The last good map shows.</strong> ${problem}</span>
    <button type="button" class="button" @click=${actions.openFile}>Open Map</button>
  </div>`;
}
