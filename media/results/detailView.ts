import { html, nothing, type TemplateResult } from "lit";
import type { DetailSection } from "../../extension/webviews/resultsProtocol";
import type { Detail } from "./model";

export interface DetailActions {
  showAll: (minion: string) => void;
  openInEditor: (minion: string) => void;
}

/** One minion's whole result. Output of hosts is untrusted: it only ever becomes text nodes. */
export function detailView(minion: string, detail: Detail, actions: DetailActions): TemplateResult {
  switch (detail.state) {
    case "loading":
      return html`<p class="meta">Loading…</p>`;
    case "failed":
      return html`<p><strong>${detail.message}</strong> ${detail.nextStep ?? nothing}</p>`;
    case "shown":
      return html`${detail.sections.map((section) => sectionView(minion, section))}
        <p class="links">
          ${
            detail.leftOut > 0
              ? html`<button type="button" class="link" @click=${() => actions.showAll(minion)}>
                  Show All (${detail.leftOut.toLocaleString()} more characters)
                </button>`
              : nothing
          }
          <button type="button" class="link" @click=${() => actions.openInEditor(minion)}>
            Open in Editor
          </button>
        </p>`;
  }
}

function sectionView(minion: string, { title, text, verbatim }: DetailSection): TemplateResult {
  if (!verbatim) {
    return html`<p class="fact"><span class="key">${title}</span> <span>${text}</span></p>`;
  }
  // focusable, so that the keyboard can scroll it
  return html`<p class="key">${title}</p>
    <pre tabindex="0" role="region" aria-label="${title} of ${minion}">${text}</pre>`;
}
