import { BLOCK_PX, middleInWindow, type Box } from "./blockBox";
import type { LeafRun } from "./leafRuns";
import type { Scene } from "./scene";
import { drawSign } from "./signs";
import { KINDS } from "./stateShares";

const TEXT_GAP_PX = 8;

/** Beside a block: how many of its minions stand how, and on how many a call is under way. */
export function drawFigures(
  scene: Scene,
  run: LeafRun,
  { left, top, height }: Box,
  covers: boolean,
): void {
  const { context, theme, labels, model } = scene;
  const size = theme.fontPx * 0.85;
  const y = besideSelected(scene, run, middleInWindow(scene, top, height), size);
  const shares = model.shares.of(run);
  const running = model.traffic.countOfAll(run.places);
  const figures = KINDS.filter((kind) => shares[kind] > 0).map((kind) => ({
    kind,
    busy: false,
    text: shares[kind].toLocaleString(),
  }));
  if (running > 0) figures.push({ kind: "online", busy: true, text: running.toLocaleString() });
  const widths = figures.map(({ text }) => labels.width(text, size) + 26);
  let x = left + BLOCK_PX + TEXT_GAP_PX;
  context.textBaseline = "middle";
  if (covers) {
    context.fillStyle = theme.background;
    const width = widths.reduce((sum, part) => sum + part, 0);
    context.fillRect(x - 4, y - size, width, size * 2);
  }
  figures.forEach(({ kind, busy, text }, index) => {
    drawSign(context, theme, { kind, busy, radius: 4, overlord: false }, x + 4, y);
    labels.write(text, theme.dim, x + 12, y, size);
    x += widths[index] ?? 0;
  });
}

/** Not where the name of the selected host stands. */
function besideSelected(
  { model, placing }: Scene,
  { places }: LeafRun,
  y: number,
  size: number,
): number {
  if (!places.includes(model.selected)) return y;
  const name = placing.point(model.selected).y;
  const apart = size * 1.6;
  if (Math.abs(y - name) >= apart) return y;
  return y < name ? name - apart : name + apart;
}
