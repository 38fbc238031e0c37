import { html, svg, type SVGTemplateResult, type TemplateResult } from "lit";
import type { HostKind } from "../../extension/webviews/mapProtocol";

const RING = svg`<circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" stroke-width="1.4"/>`;

const SHAPES: Record<HostKind, SVGTemplateResult> = {
  online: shape("M4.8 8.2 7.1 10.5 11.3 5.8", RING),
  unreachable: shape("M8 2 14.4 13.4H1.6ZM8 6.2v3.4M8 11.2v.9"),
  unknown: svg`<circle cx="8" cy="8" r="5.6" fill="none" stroke="currentColor" stroke-width="1.4" stroke-dasharray="2 2.4"/>`,
};
const RUNNING = shape("M6.4 5.2 10.8 8l-4.4 2.8Z", RING);

function shape(path: string, around?: SVGTemplateResult): SVGTemplateResult {
  return svg`${around}<path d=${path} fill="none" stroke="currentColor" stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round"/>`;
}

/** The sign of a state; the words stand beside it, so readers skip it. */
export function hostIcon(kind: HostKind, busy = false): TemplateResult {
  const running = busy && kind !== "unreachable";
  return html`<svg
    class="icon ${running ? "running" : kind}"
    viewBox="0 0 16 16"
    width="16"
    height="16"
    aria-hidden="true"
  >
    ${running ? RUNNING : SHAPES[kind]}
  </svg>`;
}
