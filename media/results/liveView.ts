import { html, nothing, type TemplateResult } from "lit";
import { ref } from "lit/directives/ref.js";
import type { LiveLine } from "../../extension/webviews/resultsProtocol";
import type { ResultsModel } from "./model";

/** The stylesheet says the same. */
const LINE_HEIGHT = 20;
/** Drawn beyond what shows, so that scrolling meets no blank. */
const MARGIN = 20;
/** So near to the end counts as at the end: new lines keep it there. */
const NEAR_END = 2 * LINE_HEIGHT;

/** Scrolls the lines, and stays at their end until somebody scrolls away from it. */
export class LiveScroller {
  private viewport: Element | undefined;
  private atEnd = true;

  constructor(private readonly draw: () => void) {}

  get following(): boolean {
    return this.atEnd;
  }

  readonly setViewport = (element: Element | undefined): void => {
    this.viewport = element;
  };

  readonly scrolled = (): void => {
    const { viewport } = this;
    if (!viewport) return;
    const { scrollTop, clientHeight, scrollHeight } = viewport;
    this.atEnd = scrollHeight - scrollTop - clientHeight < NEAR_END;
    this.draw();
  };

  toEnd(): void {
    this.atEnd = true;
    this.settle();
    this.draw();
  }

  /** After each picture. */
  settle(): void {
    const { viewport } = this;
    if (viewport && this.atEnd) viewport.scrollTop = viewport.scrollHeight;
  }

  visible(count: number): { first: number; end: number } {
    const height = this.viewport?.clientHeight ?? 800;
    const most = Math.ceil(height / LINE_HEIGHT) + 2 * MARGIN;
    const last = Math.max(0, count * LINE_HEIGHT - height);
    const top = this.atEnd ? last : (this.viewport?.scrollTop ?? 0);
    const first = Math.max(0, Math.floor(top / LINE_HEIGHT) - MARGIN);
    return { first, end: Math.min(count, first + most) };
  }
}

/** What the job's commands write, line by line, on all minions together. Untrusted: text nodes only. */
export function liveView(model: ResultsModel, scroller: LiveScroller): TemplateResult {
  const { live, header } = model;
  const lines = live.shown(model.list.filter);
  const { first, end } = scroller.visible(lines.length);
  const top = `top: ${first * LINE_HEIGHT}px`;
  return html`<div class="live">
    ${noticesView(model)}
    <div
      class="lines-view"
      role="log"
      aria-label="Live output"
      aria-live="off"
      tabindex="0"
      ${ref(scroller.setViewport)}
      @scroll=${scroller.scrolled}
    >
      <div class="canvas" .style=${`height: ${lines.length * LINE_HEIGHT}px`}>
        <div class="window" .style=${top}>${lines.slice(first, end).map(lineView)}</div>
      </div>
    </div>
    ${
      lines.length === 0
        ? html`<p class="empty">
            ${live.size > 0 ? "No line matches the filter." : emptyText(header?.finished ?? false)}
          </p>`
        : nothing
    }
    ${
      scroller.following || lines.length === 0
        ? nothing
        : html`<button type="button" class="button to-end" @click=${() => scroller.toEnd()}>
            Follow New Lines
          </button>`
    }
  </div>`;
}

function emptyText(finished: boolean): string {
  return finished ? "Nothing was written." : "Nothing has been written yet.";
}

function lineView({ minion, stream, text }: LiveLine): TemplateResult {
  return html`<div class="line ${stream}">
    <span class="who" title=${minion}>${minion}</span><span class="what">${text}</span>
  </div>`;
}

function noticesView({ live }: ResultsModel): TemplateResult | typeof nothing {
  if (live.notes.length === 0 && live.dropped === 0) return nothing;
  return html`<div class="meta" role="status">
    ${
      live.dropped > 0
        ? html`<p>${live.dropped.toLocaleString()} earlier lines are in the results only.</p>`
        : nothing
    }
    ${live.notes.slice(0, 3).map((note) => html`<p>${note}</p>`)}
    ${live.notes.length > 3 ? html`<p>and ${live.notes.length - 3} more</p>` : nothing}
  </div>`;
}
