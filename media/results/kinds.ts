import { html, svg, type SVGTemplateResult, type TemplateResult } from "lit";
import type { RowKind } from "../../extension/webviews/resultsProtocol";

/** In the order of the state bar. */
export const KINDS: readonly RowKind[] = [
  "succeeded",
  "failed",
  "unreachable",
  "timed-out",
  "denied",
  "lost",
  "expired",
  "cancelled",
  "skipped",
  "running",
  "waiting",
];

const CIRCLE = svg`<circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" stroke-width="1.4"/>`;

/** Each state has a shape of its own: colour alone tells nothing to some. */
const SHAPES: Record<RowKind, SVGTemplateResult> = {
  succeeded: shape("M4.8 8.2 7.1 10.5 11.3 5.8", CIRCLE),
  failed: shape("M5.6 5.6l4.8 4.8M10.4 5.6l-4.8 4.8", CIRCLE),
  unreachable: shape("M8 2 14.4 13.4H1.6ZM8 6.2v3.4M8 11.2v.9"),
  "timed-out": shape("M8 4.6V8l2.4 1.6", CIRCLE),
  denied: shape("M3.8 3.8l8.4 8.4", CIRCLE),
  lost: shape("M6.2 6.3a1.9 1.9 0 1 1 2.6 1.8c-.6.3-.8.7-.8 1.3M8 11v.9", CIRCLE),
  expired: shape(
    "M4.6 2.4h6.8M4.6 13.6h6.8M5.4 2.6c0 3 2.6 3.6 2.6 5.4s-2.6 2.4-2.6 5.4M10.6 2.6c0 3-2.6 3.6-2.6 5.4s2.6 2.4 2.6 5.4",
  ),
  skipped: shape("M3.4 4.2 8 8l-4.6 3.8ZM9 4.2 12.6 8 9 11.8"),
  cancelled: shape("M4.8 8h6.4", CIRCLE),
  running: shape("M8 1.8a6.2 6.2 0 1 1-6.2 6.2"),
  waiting: svg`<circle cx="8" cy="8" r="5.6" fill="none" stroke="currentColor" stroke-width="1.4" stroke-dasharray="2 2.4"/>`,
};

function shape(path: string, around?: SVGTemplateResult): SVGTemplateResult {
  return svg`${around}<path d=${path} fill="none" stroke="currentColor" stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round"/>`;
}

/** The sign of a state; the words stand beside it, so readers skip it. */
export function icon(kind: RowKind): TemplateResult {
  return html`<svg
    class="icon ${kind}"
    viewBox="0 0 16 16"
    width="16"
    height="16"
    aria-hidden="true"
  >
    ${SHAPES[kind]}
  </svg>`;
}
