import { html, nothing, type TemplateResult } from "lit";
import type { DetailSection } from "../../extension/webviews/resultsProtocol";
import type { Detail } from "./model";
import { pagerView } from "./pagerView";

export interface DetailActions {
  page: (minion: string, section: string, offset: number) => void;
  /** `section`: one output of several. */
  openInEditor: (minion: string, section?: string) => void;
}

/** One minion's whole result. Output of hosts is untrusted: it only ever becomes text nodes. */
export function detailView(minion: string, detail: Detail, actions: DetailActions): TemplateResult {
  switch (detail.state) {
    case "loading":
      return html`<p class="meta">Loading…</p>`;
    case "failed":
      return html`<p><strong>${detail.message}</strong> ${detail.nextStep ?? nothing}</p>`;
    case "shown":
      return shownView(minion, detail.sections, actions);
  }
}

function shownView(
  minion: string,
  sections: readonly DetailSection[],
  actions: DetailActions,
): TemplateResult {
  const outputs = sections.filter(({ verbatim }) => verbatim).length;
  return html`${sections.map((section) =>
    section.verbatim
      ? outputView(minion, section, outputs > 1 ? section.key : undefined, actions)
      : factView(section),
  )}
  ${outputs === 0 ? openButton("Open in Editor", () => actions.openInEditor(minion)) : nothing}`;
}

/** `opens`: the one output of several that its button opens. */
function outputView(
  minion: string,
  { key, title, text, range }: DetailSection,
  opens: string | undefined,
  actions: DetailActions,
): TemplateResult {
  // focusable, so that the keyboard can scroll it
  return html`<div class="section-head">
      <span class="key">${title}</span>
      ${range ? pagerView(title, range, (offset) => actions.page(minion, key, offset)) : nothing}
      ${openButton(`Open ${title} of ${minion} in an editor`, () => actions.openInEditor(minion, opens))}
    </div>
    <pre tabindex="0" role="region" aria-label="${title} of ${minion}">${text}</pre>`;
}

function openButton(label: string, open: () => void): TemplateResult {
  return html`<button type="button" class="link" title=${label} @click=${open}>
    Open in Editor
  </button>`;
}

/** A short fact on one line: what it is, and the text. */
export function factView({ title, text }: Pick<DetailSection, "title" | "text">): TemplateResult {
  return html`<p class="fact"><span class="key">${title}</span> <span>${text}</span></p>`;
}
