import { html, nothing, type TemplateResult } from "lit";
import { minionCount } from "./format";
import type { OutputSearch } from "./outputSearch";

export interface SearchActions {
  search: () => void;
  cancelSearch: () => void;
  endSearch: () => void;
}

/** How the search through the outputs goes, below the tools. */
export function searchView(
  search: OutputSearch | undefined,
  finished: boolean,
  actions: SearchActions,
): TemplateResult | typeof nothing {
  if (!search) return nothing;
  const running = search.state === "running";
  return html`<div class="search">
    <span role="status"><b>${matchesText(search)}</b> ${progressText(search)}</span>
    ${search.early ? html`<span class="meta">${earlyText(finished)}</span>` : nothing}
    ${
      running
        ? html`<button type="button" class="link" @click=${actions.cancelSearch}>Cancel</button>`
        : html`<button type="button" class="link" @click=${actions.search}>Search Again</button>`
    }
    <button type="button" class="link" @click=${actions.endSearch}>Close Search</button>
  </div>`;
}

function matchesText({ lines, text }: OutputSearch): string {
  return `“${text}” found in the results of ${minionCount(lines.size)}.`;
}

function progressText({ searched, total, state, message }: OutputSearch): string {
  const so = `${searched.toLocaleString()} of ${total.toLocaleString()}`;
  switch (state) {
    case "running":
      return total === 0 ? "Searching…" : `Searched ${so}.`;
    case "cancelled":
      return `Cancelled after ${so}.`;
    case "failed":
      return `The search failed after ${so}: ${message ?? ""}`;
    case "done":
      return total === 1
        ? "The one result was searched."
        : `All ${total.toLocaleString()} were searched.`;
  }
}

function earlyText(finished: boolean): string {
  return finished
    ? "The job has ended since: search again for what came later."
    : "The job is still running: only what was there has been searched.";
}
