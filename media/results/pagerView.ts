import { html, type TemplateResult } from "lit";
import type { ShownRange } from "../../extension/webviews/resultsProtocol";
import { formatBytes } from "./format";

/** Bytes on one page; the host sends as many. */
export const PAGE_BYTES = 64 * 1024;

/** "64-128 kB of 100 MB", with the ways to the other parts of a large output. */
export function pagerView(
  title: string,
  range: ShownRange,
  show: (offset: number) => void,
): TemplateResult {
  const { offset, end, total } = range;
  const last = Math.max(0, Math.floor((total - 1) / PAGE_BYTES) * PAGE_BYTES);
  const go = (label: string, picture: string, target: number, possible: boolean): TemplateResult =>
    html`<button
      type="button"
      class="page"
      title=${label}
      aria-label="${label} of ${title}"
      ?disabled=${!possible}
      @click=${() => show(target)}
    >
      ${picture}
    </button>`;
  return html`<span class="pager" role="group" aria-label="Part of ${title}">
    ${go("First part", "«", 0, offset > 0)}
    ${go("Previous part", "‹", Math.max(0, offset - PAGE_BYTES), offset > 0)}
    <span class="range" role="status">${rangeText(range)}</span>
    ${go("Next part", "›", end, end < total)} ${go("Last part", "»", last, end < total)}
    <input
      type="text"
      inputmode="decimal"
      class="jump"
      aria-label="Go to a place of ${title}: a percentage, or a position like 3 MB"
      placeholder="Go to %"
      @keydown=${(event: KeyboardEvent) => jump(event, total, show)}
    />
  </span>`;
}

function jump(event: KeyboardEvent, total: number, show: (offset: number) => void): void {
  if (event.key !== "Enter" || !(event.target instanceof HTMLInputElement)) return;
  const offset = placeOf(event.target.value, total);
  if (offset !== undefined) show(offset);
}

/** "50" and "50%" are percentages, "3 MB" is a position in bytes; undefined for anything else. */
export function placeOf(text: string, total: number): number | undefined {
  const found = /^\s*(\d+(?:\.\d+)?)\s*(%|bytes|kB|MB|GB)?\s*$/i.exec(text);
  const amount = Number(found?.[1] ?? NaN);
  if (Number.isNaN(amount)) return undefined;
  const unit = (found?.[2] ?? "%").toLowerCase();
  const factor = UNITS[unit] ?? total / 100;
  return Math.max(0, Math.min(Math.floor(amount * factor), total - 1));
}

const UNITS: Partial<Record<string, number>> = { bytes: 1, kb: 1e3, mb: 1e6, gb: 1e9 };

function rangeText({ offset, end, total }: ShownRange): string {
  return `${formatBytes(offset)} – ${formatBytes(end)} of ${formatBytes(total)}`;
}
