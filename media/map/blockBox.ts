import { curveBetween, type Curve } from "./curves";
import type { LeafRun } from "./leafRuns";
import { offX, type Scene } from "./scene";
import { ROW } from "./treeLayout";

/** How wide a block is. */
export const BLOCK_PX = 10;
const LEAST_BLOCK_PX = 2;

/** Where a block is, in pixels of the window. */
export interface Box {
  left: number;
  top: number;
  height: number;
}

export function boxOf({ placing, camera }: Scene, { places, top, bottom }: LeafRun): Box {
  const { x } = placing.point(places[0] ?? 0);
  const from = (top - ROW / 2) * camera.scale + camera.y;
  const height = (bottom - top + ROW) * camera.scale;
  // neighbours stay apart
  const gap = Math.min(3, height / 4);
  return {
    left: x - BLOCK_PX / 2,
    top: from + gap / 2,
    height: Math.max(LEAST_BLOCK_PX, height - gap),
  };
}

/** The line that calls to the block's hosts take. */
export function blockCurve(scene: Scene, run: LeafRun): Curve {
  const { left, top, height } = boxOf(scene, run);
  const from = scene.placing.point(run.parent);
  const visible = middleInWindow(scene, top, height);
  return curveBetween(from, { x: left, y: visible }, offX(scene, run.parent));
}

/** Of a block that is partly in the window: the middle of what shows. */
export function middleInWindow({ window }: Scene, top: number, height: number): number {
  const from = Math.max(0, top);
  const to = Math.min(window.height, top + height);
  return from < to ? (from + to) / 2 : top + height / 2;
}
