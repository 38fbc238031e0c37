import { toWindow, type Camera, type Point, type Size } from "./camera";
import { type ReturnPoint } from "./callTraffic";
import { hostsIn, linesIn, partIn } from "./edges";
import { drawLabel, LABEL_SCALE } from "./labels";
import type { MapModel } from "./mapModel";
import { drawSign, LEAF_RADIUS, OVERLORD_RADIUS, TOP_RADIUS } from "./signs";
import type { Theme } from "./theme";
import type { TreeLayout } from "./treeLayout";
import { curveBetween, pointOn, traceCurve, type Curve } from "./curves";

/** How long a dot takes from one tier to the next. */
const DOT_MS = 1_400;
/** On one line; more calls are no more dots. */
const MAX_DOTS = 3;
/** A sub-overlord has its name where its minions reach over so many pixels: others keep away from it. */
const LABEL_HEIGHT = 34;
/** Lines with moving dots. */
const MAX_BUSY_LINES = 400;

export interface Picture {
  context: CanvasRenderingContext2D;
  window: Size;
  camera: Camera;
  theme: Theme;
  nowMs: number;
  /** Nothing moves by itself. */
  atRest: boolean;
  /** The host under the pointer. */
  hovered: number | undefined;
  /** The keyboard's focus is on the drawing. */
  focused: boolean;
}

/** Draws what of the map is in the window; what it costs depends on the window, not on the map. */
export function drawMap(model: MapModel, picture: Picture): void {
  const { context, window, camera, theme } = picture;
  const { tree, layout } = model;
  context.fillStyle = theme.background;
  context.fillRect(0, 0, window.width, window.height);
  const part = partIn(camera, window);
  const lines = linesIn(tree, layout, part, camera.scale);
  const curveOf = (place: number): Curve => curveTo(model, camera, place);
  stroke(context, theme.edge, theme.highContrast ? 1.4 : 1.1, lines.map(curveOf));
  drawCallPath(model, picture);
  const busy = lines.filter((place) => model.traffic.countOf(place) > 0).slice(0, MAX_BUSY_LINES);
  drawCalls(model, picture, busy, curveOf);
  const hits = new Set(model.hits);
  const standsOut = (place: number): boolean => model.stateOf(place).kind === "unreachable";
  layout.tiers.forEach((tier) => {
    for (const place of hostsIn(layout, tier, part, camera.scale, standsOut)) {
      drawHost(model, picture, place, hits.has(place));
    }
  });
  // seen among thousands too, where not each is drawn
  if (layout.has(model.selected)) drawHost(model, picture, model.selected, false);
  drawReturns(model, picture, curveOf);
}

function stroke(
  context: CanvasRenderingContext2D,
  colour: string,
  width: number,
  curves: readonly Curve[],
): void {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.lineCap = "round";
  context.beginPath();
  for (const curve of curves) traceCurve(context, curve);
  context.stroke();
}

function curveTo(model: MapModel, camera: Camera, place: number): Curve {
  return between(model, camera, model.tree.parentOf(place), place);
}

function between(model: MapModel, camera: Camera, from: number, to: number): Curve {
  const { layout } = model;
  return curveBetween(pointOf(layout, camera, from), pointOf(layout, camera, to));
}

function pointOf(layout: TreeLayout, camera: Camera, place: number): Point {
  return toWindow(camera, { x: layout.x(place), y: layout.y(place) });
}

/** Where the call leaves the tree's own lines (another way is shorter), the line is dashed. */
function drawCallPath(model: MapModel, { context, camera, theme }: Picture): void {
  const { callPath, layout, tree } = model;
  const shown = callPath.map((place) => layout.visible(place));
  context.save();
  for (let index = 1; index < shown.length; index++) {
    const from = shown[index - 1] ?? 0;
    const to = shown[index] ?? 0;
    if (from === to) continue;
    context.setLineDash(tree.parentOf(to) === from ? [] : [5, 4]);
    stroke(context, theme.path, 2.4, [between(model, camera, from, to)]);
  }
  context.restore();
}

function drawCalls(
  model: MapModel,
  { context, theme, nowMs, atRest }: Picture,
  busy: readonly number[],
  curveOf: (place: number) => Curve,
): void {
  if (busy.length === 0) return;
  if (atRest) {
    context.save();
    context.setLineDash([3, 4]);
    stroke(context, theme.running, 1.8, busy.map(curveOf));
    context.restore();
  }
  context.fillStyle = theme.running;
  context.beginPath();
  for (const place of busy) {
    const curve = curveOf(place);
    const dots = atRest ? 1 : Math.min(MAX_DOTS, model.traffic.countOf(place));
    for (let dot = 0; dot < dots; dot++) {
      // by the host as well, so that not all dots walk in step
      const part = atRest ? 0.5 : (nowMs / DOT_MS + dot / dots + place * 0.37) % 1;
      const { x, y } = pointOn(curve, part);
      context.moveTo(x + 3.2, y);
      context.arc(x, y, 3.2, 0, Math.PI * 2);
    }
  }
  context.fill();
}

function drawReturns(
  model: MapModel,
  { context, theme, nowMs, atRest }: Picture,
  curveOf: (place: number) => Curve,
): void {
  const points: ReturnPoint[] = model.traffic.pointsAt(model.tree, nowMs);
  if (atRest) return;
  for (const { place, part, well } of points) {
    if (!model.layout.has(place)) continue;
    const { x, y } = pointOn(curveOf(place), 1 - part);
    context.fillStyle = well ? theme.online : theme.failed;
    context.beginPath();
    // a square: what failed is told by more than its colour
    if (well) context.arc(x, y, 3.2, 0, Math.PI * 2);
    else context.rect(x - 3, y - 3, 6, 6);
    context.fill();
  }
}

function drawHost(model: MapModel, picture: Picture, place: number, hit: boolean): void {
  const { context, camera, theme, focused } = picture;
  const { tree, layout } = model;
  const { x, y } = pointOf(layout, camera, place);
  const overlord = tree.isOverlord(place);
  const full = place === 0 ? TOP_RADIUS : overlord ? OVERLORD_RADIUS : LEAF_RADIUS;
  const radius = Math.max(place === 0 || overlord ? 2.5 : 1.2, full * Math.min(1, camera.scale));
  const selected = place === model.selected;
  // at first nothing is selected but this overlord
  if ((selected && place > 0) || hit)
    halo(context, selected ? theme.path : theme.hit, x, y, radius, selected);
  const { kind, running } = model.stateOf(place);
  // what runs behind a sub-overlord shows there
  const busy = !overlord && (running > 0 || model.traffic.countOf(place) > 0);
  drawSign(context, theme, { kind: place === 0 ? "online" : kind, busy, radius, overlord }, x, y);
  if (selected && focused) focusRing(context, theme, x, y, radius);
  const named =
    camera.scale >= LABEL_SCALE ||
    layout.reach(place) * camera.scale >= LABEL_HEIGHT ||
    model.callPath.includes(place);
  if (named || place === picture.hovered) {
    drawLabel(model, picture, place, { x, y, radius: overlord ? radius * 1.6 : radius });
  }
}

function halo(
  context: CanvasRenderingContext2D,
  colour: string,
  x: number,
  y: number,
  radius: number,
  filled: boolean,
): void {
  context.save();
  context.beginPath();
  context.arc(x, y, radius + 5, 0, Math.PI * 2);
  context.globalAlpha = filled ? 0.35 : 0.9;
  context.fillStyle = colour;
  context.strokeStyle = colour;
  context.lineWidth = 2;
  if (filled) context.fill();
  else context.stroke();
  context.restore();
}

function focusRing(
  context: CanvasRenderingContext2D,
  theme: Theme,
  x: number,
  y: number,
  radius: number,
): void {
  const size = radius + 8;
  context.strokeStyle = theme.focus;
  context.lineWidth = 1.5;
  context.strokeRect(x - size, y - size, size * 2, size * 2);
}
