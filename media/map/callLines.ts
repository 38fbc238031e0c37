import { blockCurve } from "./blockBox";
import { pointOn, type Curve } from "./curves";
import type { LeafRun } from "./leafRuns";
import { curveFrom, curveTo, strokeCurves, type Scene } from "./scene";

/** How long a dot takes from one tier to the next. */
const DOT_MS = 1_400;
/** On one line; more calls are no more dots. */
const MAX_DOTS = 3;
const MAX_BUSY_LINES = 1_000;
const DOT_PX = 3.2;
const LEAST_APART_PX = 6;

/** A line that calls are under way on. */
interface BusyLine {
  curve: Curve;
  calls: number;
  /** Not all dots walk in step. */
  shift: number;
  /** The call path shows there, which is not drawn over. */
  onPath: boolean;
}

/** The way of a call to the selected host; dashed where it leaves the tree's own lines. */
export function drawCallPath(scene: Scene): void {
  const { context, model, theme } = scene;
  context.save();
  for (const [from, to, own] of steps(scene, model.callPath)) {
    context.setLineDash(own ? [] : [5, 4]);
    strokeCurves(context, theme.path, 2.4, [curveFrom(scene, from, to)]);
  }
  context.restore();
}

/** The way to the host under the pointer, fainter than that to the selected one. */
export function drawHoveredPath(scene: Scene): void {
  const { context, hovered, model, theme } = scene;
  if (!hovered || "block" in hovered) return;
  const way = model.tree.wayTo(hovered.host);
  const curves = steps(scene, way).map(([from, to]) => curveFrom(scene, from, to));
  context.save();
  context.globalAlpha = 0.7;
  strokeCurves(context, theme.text, 1.4, curves);
  context.restore();
}

function steps({ model }: Scene, way: readonly number[]): [number, number, boolean][] {
  const { layout, tree } = model;
  const shown = way.map((place) => layout.visible(place));
  return shown.slice(1).flatMap((to, index): [number, number, boolean][] => {
    const from = shown[index] ?? 0;
    return from === to ? [] : [[from, to, tree.parentOf(to) === from]];
  });
}

/** The calls under way, down the lines to these hosts and blocks. */
export function drawCalls(
  scene: Scene,
  places: readonly number[],
  blocks: readonly LeafRun[],
): void {
  const { context, theme, nowMs, atRest } = scene;
  const lines = busyLines(scene, places, blocks);
  if (lines.length === 0) return;
  const curves = lines.filter(({ onPath }) => !onPath).map(({ curve }) => curve);
  context.save();
  if (atRest) context.setLineDash([3, 4]);
  else context.globalAlpha = theme.highContrast ? 1 : 0.5;
  strokeCurves(context, theme.running, atRest ? 1.8 : 1.4, curves);
  context.restore();
  context.fillStyle = theme.running;
  context.beginPath();
  for (const { curve, calls, shift } of apart(lines)) {
    const dots = atRest ? 1 : Math.min(MAX_DOTS, calls);
    for (let dot = 0; dot < dots; dot++) {
      const part = atRest ? 0.5 : (nowMs / DOT_MS + dot / dots + shift) % 1;
      const { x, y } = pointOn(curve, part);
      context.moveTo(x + DOT_PX, y);
      context.arc(x, y, DOT_PX, 0, Math.PI * 2);
    }
  }
  context.fill();
}

/** Of lines that are too close for dots of their own, one. */
function apart(lines: readonly BusyLine[]): BusyLine[] {
  let last: Curve | undefined;
  return lines.filter(({ curve }) => {
    const close = last?.toX === curve.toX && Math.abs(curve.toY - last.toY) < LEAST_APART_PX;
    if (!close) last = curve;
    return !close;
  });
}

function busyLines(
  scene: Scene,
  places: readonly number[],
  blocks: readonly LeafRun[],
): BusyLine[] {
  const { traffic, callPath, selected } = scene.model;
  if (traffic.underWay === 0) return [];
  const toHosts = places
    .filter((place) => traffic.countOf(place) > 0)
    .slice(0, MAX_BUSY_LINES)
    .map((place) => ({
      curve: curveTo(scene, place),
      calls: traffic.countOf(place),
      shift: place * 0.37,
      onPath: selected > 0 && callPath.includes(place),
    }));
  const toBlocks = blocks
    .map((run) => ({ run, calls: traffic.countOfAll(run.places) }))
    .filter(({ calls }) => calls > 0)
    .slice(0, MAX_BUSY_LINES)
    .map(({ run, calls }) => ({
      curve: blockCurve(scene, run),
      calls,
      shift: run.top * 0.37,
      onPath: false,
    }));
  return [...toHosts, ...toBlocks];
}

/** The answers on their way up. */
export function drawReturns(scene: Scene): void {
  const { context, model, theme, nowMs, atRest } = scene;
  const points = model.traffic.pointsAt(model.tree, nowMs);
  if (atRest) return;
  for (const { place, part, well } of points) {
    if (!model.layout.has(place)) continue;
    const { x, y } = pointOn(curveTo(scene, place), 1 - part);
    context.fillStyle = well ? theme.online : theme.failed;
    context.beginPath();
    // a square: what failed is told by more than its colour
    if (well) context.arc(x, y, DOT_PX, 0, Math.PI * 2);
    else context.rect(x - 3, y - 3, 6, 6);
    context.fill();
  }
}
