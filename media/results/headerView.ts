import { html, nothing, type TemplateResult } from "lit";
import type { ResultsHeader, RowKind } from "../../extension/webviews/resultsProtocol";
import { formatDuration, median, minionCount } from "./format";
import { icon, KINDS } from "./kinds";
import type { ResultsModel } from "./model";
import { durationBars, sparkline } from "./sparkline";

/** The call, the state bar and the counts above the list. */
export function headerView(
  model: ResultsModel,
  toggleKind: (kind: RowKind) => void,
): TemplateResult {
  const { header, lost } = model;
  if (!header) {
    return html`${lostView(lost)}${lost ? nothing : html`<p class="meta">Asking the overlord…</p>`}`;
  }
  return html`
    <header>
      <h1><span class="call">${header.call}</span> <span class="on">on ${header.spec}</span></h1>
      <p class="meta">${metaText(header)}</p>
      ${lostView(lost)} ${warningView(header)} ${barView(model, header)}
      <div class="figures">${countsView(model, toggleKind)}${durationsView(model)}</div>
    </header>
  `;
}

function lostView(lost: ResultsModel["lost"]): TemplateResult | typeof nothing {
  if (!lost) return nothing;
  return html`<div class="notice" role="alert">
    <strong>${lost.message}</strong>${lost.nextStep ? html`<p>${lost.nextStep}</p>` : nothing}
  </div>`;
}

function warningView({ warning }: ResultsHeader): TemplateResult | typeof nothing {
  return warning === undefined ? nothing : html`<div class="notice" role="status">${warning}</div>`;
}

function metaText(header: ResultsHeader): string {
  const started = new Date(header.startedAtMs);
  const today = started.toDateString() === new Date().toDateString();
  const time = today ? started.toLocaleTimeString() : started.toLocaleString();
  const parts = [`Started ${time}`, minionCount(header.total)];
  if (header.finishedAtMs !== undefined) {
    parts.push(`took ${formatDuration(header.finishedAtMs - header.startedAtMs)}`);
  } else if (!header.finished) {
    parts.push(header.cancelRequested ? "cancelling" : "running");
  }
  return [...parts, ...header.notes].join(" · ");
}

/** Only a picture of the counts below it, which say the same in words. */
function barView(model: ResultsModel, header: ResultsHeader): TemplateResult {
  const counts = model.list.counts();
  const total = Math.max(1, header.total);
  return html`<div class="bar" aria-hidden="true">
    ${KINDS.filter((kind) => counts.has(kind)).map((kind) => {
      const width = `${((counts.get(kind) ?? 0) / total) * 100}%`;
      return html`<span class="segment ${kind}" .style=${`width: ${width}`}></span>`;
    })}
  </div>`;
}

function countsView(model: ResultsModel, toggleKind: (kind: RowKind) => void): TemplateResult {
  const counts = model.list.counts();
  return html`<div class="counts" role="group" aria-label="Show only one state">
    ${KINDS.filter((kind) => counts.has(kind) || model.list.kind === kind).map(
      (kind) =>
        html`<button
          type="button"
          class="count"
          aria-pressed=${model.list.kind === kind ? "true" : "false"}
          title="Show only these"
          @click=${() => toggleKind(kind)}
        >
          ${icon(kind)}<b>${(counts.get(kind) ?? 0).toLocaleString()}</b> ${kind}
        </button>`,
    )}
  </div>`;
}

function durationsView(model: ResultsModel): TemplateResult | typeof nothing {
  const durations = model.list.durations();
  const middle = median(durations);
  if (middle === undefined) return nothing;
  const bars = durationBars(durations);
  return html`<div class="durations">
    <span
      >median ${formatDuration(middle)} · slowest
      ${formatDuration(durations.at(-1) ?? middle)}</span
    >${bars ? sparkline(bars) : nothing}
  </div>`;
}
