import { html, nothing, svg, type TemplateResult } from "lit";
import { formatDuration } from "./format";
import type { Replay } from "./replay";

export interface ReplayActions {
  /** Shows the job as it stood at that point in time. */
  moveTo: (atMs: number) => void;
  play: () => void;
  close: () => void;
}

/** Fine enough for a mouse. */
const POSITIONS = 1_000;

/** The time slider: the job as it stood at any moment of its life. */
export function replayView(
  replay: Replay | undefined,
  playing: boolean,
  actions: ReplayActions,
): TemplateResult | typeof nothing {
  if (!replay) return nothing;
  return html`<div class="replay" role="group" aria-label="Time slider">
    ${contentView(replay, playing, actions)}
    <button type="button" class="link" @click=${actions.close}>Back to Now</button>
  </div>`;
}

function contentView(replay: Replay, playing: boolean, actions: ReplayActions): TemplateResult {
  if (replay.problem !== undefined) return html`<span role="alert">${replay.problem}</span>`;
  if (!replay.complete) return html`<span class="meta">Reading what happened…</span>`;
  if (replay.isEmpty) return html`<span class="meta">Nothing of its course is known.</span>`;
  const { startMs, endMs, atMs } = replay;
  const length = endMs - startMs;
  const words = `${formatDuration(atMs - startMs)} of ${formatDuration(length)}`;
  return html`<button
      type="button"
      class="button play"
      title=${playing ? "Stop" : "Play"}
      aria-label=${playing ? "Stop" : "Play"}
      @click=${actions.play}
    >
      ${playIcon(playing)}
    </button>
    <input
      type="range"
      min="0"
      max=${POSITIONS}
      aria-label="Time"
      aria-valuetext=${words}
      .value=${String(Math.round(((atMs - startMs) / length) * POSITIONS))}
      @input=${(event: InputEvent) => {
        if (!(event.target instanceof HTMLInputElement)) return;
        actions.moveTo(startMs + (event.target.valueAsNumber / POSITIONS) * length);
      }}
      @keydown=${(event: KeyboardEvent) => {
        const direction = event.key === "PageUp" ? 1 : event.key === "PageDown" ? -1 : undefined;
        if (!direction) return;
        event.preventDefault();
        actions.moveTo(replay.stepFrom(direction));
      }}
    />
    <span class="meta when" title="Page Up and Page Down go from event to event"
      >${new Date(atMs).toLocaleTimeString()} · ${words}</span
    >`;
}

function playIcon(playing: boolean): TemplateResult {
  return html`<svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
    ${
      playing
        ? svg`<path d="M4 3h3v10H4zM9 3h3v10H9z" fill="currentColor"/>`
        : svg`<path d="M4 2.5 13 8l-9 5.5z" fill="currentColor"/>`
    }
  </svg>`;
}
