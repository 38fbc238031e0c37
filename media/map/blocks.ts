import type { HostKind } from "../../extension/webviews/mapProtocol";
import { BLOCK_PX, boxOf, type Box } from "./blockBox";
import { drawFigures } from "./blockFigures";
import type { LeafRun } from "./leafRuns";
import { offX, type Scene } from "./scene";
import { colourOf } from "./signs";
import { segmentsOf } from "./stateShares";

/** Of a kind that hardly any hosts are of. */
const LEAST_SEGMENT_PX = 3;
/** Lower ones are a stroke of one colour. */
const LEAST_DRAWN_PX = 4;
/** Lower blocks are without figures, as long as the pointer is not on them. */
const LEAST_NAMED_PX = 12;

/** From overlords to runs of their hosts, a shape for each: hundreds of lines would be a blot. */
export function drawRibbons(scene: Scene, runs: readonly LeafRun[]): void {
  const { context, theme } = scene;
  context.save();
  context.fillStyle = theme.edge;
  context.strokeStyle = theme.edge;
  context.lineWidth = theme.highContrast ? 1.2 : 1;
  context.beginPath();
  let last: Box | undefined;
  for (const run of runs) {
    const box = boxOf(scene, run);
    if (last?.left === box.left && box.top - last.top < 1) continue;
    last = box;
    traceRibbon(scene, run, box);
  }
  context.globalAlpha = theme.highContrast ? 0 : 0.22;
  context.fill();
  context.globalAlpha = theme.highContrast ? 1 : 0.55;
  context.beginPath();
  for (const run of runs) {
    const box = boxOf(scene, run);
    if (box.height >= LEAST_DRAWN_PX) traceRibbon(scene, run, box);
  }
  context.stroke();
  context.restore();
}

function traceRibbon(scene: Scene, run: LeafRun, { left, top, height }: Box): void {
  const { context, placing } = scene;
  const from = placing.point(run.parent);
  const start = from.x + offX(scene, run.parent);
  const middle = (start + left) / 2;
  context.moveTo(from.x, from.y);
  context.lineTo(start, from.y);
  context.bezierCurveTo(middle, from.y, middle, top, left, top);
  context.lineTo(left, top + height);
  context.bezierCurveTo(middle, top + height, middle, from.y, start, from.y);
}

/** Each run of minions as a block. Of those that share a pixel one is drawn, be it one with unreachable minions. */
export function drawBlocks(scene: Scene, runs: readonly LeafRun[]): void {
  const thin: LeafRun[] = [];
  for (const run of runs) {
    const box = boxOf(scene, run);
    if (box.height >= LEAST_DRAWN_PX) drawBlock(scene, run, box);
    else thin.push(run);
  }
  let last: Box | undefined;
  for (const run of thin) {
    const box = boxOf(scene, run);
    const { online, unreachable } = scene.model.shares.of(run);
    const hidden = last?.left === box.left && box.top - last.top < 1;
    if (hidden && unreachable === 0) continue;
    last = box;
    const kind = unreachable > 0 ? "unreachable" : online > 0 ? "online" : "unknown";
    scene.context.fillStyle = colourOf(scene.theme, kind, false);
    scene.context.fillRect(box.left, box.top, BLOCK_PX, box.height);
  }
}

/** The minions of an overlord as one block, which tells how many of them stand how. */
function drawBlock(scene: Scene, run: LeafRun, box: Box): void {
  const { context, theme, model, hovered } = scene;
  const under = hovered !== undefined && "block" in hovered && hovered.block === run;
  const outline = (): void => {
    context.beginPath();
    context.roundRect(box.left, box.top, BLOCK_PX, box.height, Math.min(3, box.height / 2));
  };
  outline();
  context.fillStyle = theme.background;
  context.fill();
  context.save();
  context.clip();
  const least = Math.min(LEAST_SEGMENT_PX, box.height / 6);
  for (const { kind, top, height } of segmentsOf(model.shares.of(run), box.height, least)) {
    drawSegment(scene, kind, { left: box.left, top: box.top + top, height });
  }
  context.restore();
  if (under || theme.highContrast) {
    context.strokeStyle = under ? theme.focus : theme.edge;
    context.lineWidth = under ? 2 : 1;
    outline();
    context.stroke();
  }
  if (under || box.height >= LEAST_NAMED_PX) drawFigures(scene, run, box, under);
}

/** Each kind has a pattern of its own, since colour alone tells nothing to some. */
function drawSegment({ context, theme }: Scene, kind: HostKind, { left, top, height }: Box): void {
  context.fillStyle = colourOf(theme, kind, false);
  context.globalAlpha = kind === "unknown" ? 0.35 : 1;
  context.fillRect(left, top, BLOCK_PX, height);
  context.globalAlpha = 1;
  if (kind !== "unreachable") return;
  context.save();
  context.beginPath();
  context.rect(left, top, BLOCK_PX, height);
  context.clip();
  context.strokeStyle = theme.background;
  context.lineWidth = 1.2;
  context.beginPath();
  const stop = Math.min(height, 2_000);
  for (let at = 0; at < stop + BLOCK_PX; at += 5) {
    context.moveTo(left, top + at);
    context.lineTo(left + BLOCK_PX, top + at - BLOCK_PX);
  }
  context.stroke();
  context.restore();
}

/** Where in its block a minion is that was found. */
export function drawHitMark({ context, theme, placing }: Scene, place: number): void {
  const { x, y } = placing.point(place);
  const tip = x - BLOCK_PX / 2 - 1;
  context.fillStyle = theme.hit;
  context.beginPath();
  context.moveTo(tip, y);
  context.lineTo(tip - 8, y - 4.5);
  context.lineTo(tip - 8, y + 4.5);
  context.closePath();
  context.fill();
}
