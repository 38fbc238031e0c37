import { minionCount } from "./format";
import type { ResultsModel } from "./model";

/** A screen reader cannot follow more often. */
const PAUSE_MS = 4_000;

/** Tells screen readers how the job goes, at most every few seconds, and when it is done. */
export class ProgressSpeaker {
  private readonly region = document.createElement("div");
  private lastAt = -PAUSE_MS;
  private finished = false;

  constructor() {
    this.region.className = "visually-hidden";
    this.region.setAttribute("role", "status");
    document.body.append(this.region);
  }

  say(model: ResultsModel): void {
    const { header } = model;
    if (!header || this.finished) return;
    const now = performance.now();
    if (!header.finished && now - this.lastAt < PAUSE_MS) return;
    this.lastAt = now;
    this.finished = header.finished;
    this.region.textContent = text(model, header.total, header.finished);
  }
}

function text(model: ResultsModel, total: number, finished: boolean): string {
  const counts = model.list.counts();
  const open = (counts.get("running") ?? 0) + (counts.get("waiting") ?? 0);
  const known = [...counts].filter(([kind]) => kind !== "running" && kind !== "waiting");
  const states = known.map(([kind, count]) => `${count} ${kind}`).join(", ");
  const done = finished ? "Finished" : `${total - open} of ${minionCount(total)} done`;
  return states === "" ? done : `${done}: ${states}`;
}
