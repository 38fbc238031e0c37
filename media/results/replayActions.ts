import type { FromResults } from "../../extension/webviews/resultsProtocol";
import type { ResultsModel } from "./model";
import type { ReplayActions } from "./replayView";

/** A job of any length plays in so many milliseconds. */
const PLAY_MS = 8_000;
const STEP_MS = 50;

export interface ReplayHost {
  post: (message: FromResults) => void;
  draw: () => void;
}

/** What the time slider does. */
export function replayActions(
  model: ResultsModel,
  { post, draw }: ReplayHost,
): ReplayActions & { toggle: () => void; isPlaying: () => boolean } {
  let timer: ReturnType<typeof setInterval> | undefined;
  const stop = (): void => {
    clearInterval(timer);
    timer = undefined;
  };
  const moveTo = (atMs: number): void => {
    const { replay } = model;
    if (!replay) return;
    replay.atMs = Math.min(replay.endMs, Math.max(replay.startMs, atMs));
    model.replayed();
    draw();
  };
  const close = (): void => {
    stop();
    model.endReplay();
    draw();
  };
  const play = (): void => {
    const { replay } = model;
    if (!replay?.complete) return;
    if (timer !== undefined) {
      stop();
      draw();
      return;
    }
    if (replay.atMs >= replay.endMs) replay.atMs = replay.startMs;
    const step = ((replay.endMs - replay.startMs) / PLAY_MS) * STEP_MS;
    timer = setInterval(() => {
      if (replay.atMs + step >= replay.endMs) stop();
      moveTo(replay.atMs + step);
    }, STEP_MS);
    draw();
  };
  const toggle = (): void => {
    if (model.replay) {
      close();
      return;
    }
    // lines have no states to go back to
    if (model.view === "live") {
      model.live.clear();
      model.setView("output");
      post({ type: "watchLive", watch: false });
    }
    model.beginReplay();
    post({ type: "replay" });
    draw();
  };
  return {
    moveTo: (atMs) => {
      stop();
      moveTo(atMs);
    },
    play,
    close,
    toggle,
    isPlaying: () => timer !== undefined,
  };
}
