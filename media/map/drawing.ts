import { drawBlocks, drawHitMark, drawRibbons } from "./blocks";
import { drawCallPath, drawCalls, drawHoveredPath, drawReturns } from "./callLines";
import { hostsIn, linesIn, runsIn } from "./edges";
import { curveTo, radiusOf, strokeCurves, type Scene } from "./scene";
import { drawSign, ringOf } from "./signs";
import type { Theme } from "./theme";

/** Draws what of the map is in the window; what it costs depends on the window, not on the map. */
export function drawMap(scene: Scene): void {
  const { context, model, placing, window, camera, theme } = scene;
  const { tree, layout } = model;
  const { part, asBlocks } = placing;
  context.fillStyle = theme.background;
  context.fillRect(0, 0, window.width, window.height);
  const { places, bundles } = linesIn(tree, layout, part, camera.scale, asBlocks);
  const blocks = asBlocks ? runsIn(layout, part) : [];
  drawRibbons(scene, [...bundles, ...blocks]);
  const curves = places.map((place) => curveTo(scene, place));
  strokeCurves(context, theme.edge, theme.highContrast ? 1.4 : 1.1, curves);
  drawHoveredPath(scene);
  drawCallPath(scene);
  drawCalls(scene, places, [...bundles, ...blocks]);
  drawBlocks(scene, blocks);
  drawHosts(scene);
  drawReturns(scene);
}

function drawHosts(scene: Scene): void {
  const { model, placing, camera, hovered } = scene;
  const { layout } = model;
  const { part, asBlocks } = placing;
  const hits = new Set(model.hits);
  // last, so that they are seen among thousands too, where not each is drawn
  const last = new Set([model.selected]);
  if (hovered && "host" in hovered) last.add(hovered.host);
  // signs from afar are some pixels high
  const scale = asBlocks ? camera.scale / 3 : camera.scale;
  const standsOut = (place: number): boolean => model.stateOf(place).kind === "unreachable";
  for (const tier of asBlocks ? layout.overlords : layout.tiers) {
    for (const place of hostsIn((at) => placing.y(at), tier, part, scale, standsOut)) {
      if (!last.has(place)) drawHost(scene, place, hits.has(place));
    }
  }
  if (asBlocks) drawHits(scene);
  for (const place of last) if (layout.has(place)) drawHost(scene, place, hits.has(place));
}

/** Where in their blocks the minions are that were found. */
function drawHits(scene: Scene): void {
  const { model, placing, camera } = scene;
  const { layout, tree, hits } = model;
  const shown = hits
    .filter((place) => layout.has(place) && !tree.isOverlord(place))
    .sort((a, b) => layout.y(a) - layout.y(b));
  const y = (place: number): number => layout.y(place);
  for (const place of hostsIn(y, shown, placing.part, camera.scale / 4, () => false)) {
    drawHitMark(scene, place);
  }
}

function drawHost(scene: Scene, place: number, hit: boolean): void {
  const { context, model, placing, theme, labels, hovered } = scene;
  const overlord = model.tree.isOverlord(place);
  const { x, y } = placing.point(place);
  const radius = Math.max(placing.asBlocks && !overlord ? 3 : 0, radiusOf(scene, place));
  const around = overlord ? ringOf(radius) : radius;
  const selected = place === model.selected;
  const under = hovered !== undefined && "host" in hovered && hovered.host === place;
  // at first nothing is selected but this overlord
  if ((selected && place > 0) || hit)
    halo(context, selected ? theme.path : theme.hit, x, y, around, selected);
  const { kind, running } = model.stateOf(place);
  // what runs behind a sub-overlord shows there
  const busy = !overlord && (running > 0 || model.traffic.countOf(place) > 0);
  drawSign(context, theme, { kind: place === 0 ? "online" : kind, busy, radius, overlord }, x, y);
  if (selected && scene.focused) focusRing(context, theme, x, y, around);
  const named = labels.isNamed(model, placing, place);
  if (!named && !under) return;
  const label = labels.labelOf(model, placing, place);
  const whole = under ? labels.labelOf(model, placing, place, true) : label;
  const covers = !named || whole.name !== label.name || (placing.asBlocks && !overlord);
  labels.draw(whole, x, y, around, covers);
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
