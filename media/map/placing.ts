import { toDrawing, toWindow, type Camera, type Point, type Size } from "./camera";
import { partIn, type Part } from "./edges";
import type { LeafRun } from "./leafRuns";
import { COLUMN, firstFrom, MARGIN, ROW, type TreeLayout } from "./treeLayout";

/** So near to a sign is on it. */
const REACH_PX = 14;
const LEAST_REACH = 10;
/** So much of a label is clicked, in the drawing's units. */
export const LABEL = 150;
/** Where an overlord is kept in the window, so far from its edge. */
const KEPT_PX = 44;
/** Smaller than this, minions that stand below each other are one block. */
const LEAST_ROW_PX = 8;
const BLOCK_REACH_PX = 10;

/**
 * Where things are in the window. An overlord moves along its minions as far as it takes to stay in the window with
 * them: one sees whose they are.
 */
export class Placing {
  readonly part: Part;

  constructor(
    readonly layout: TreeLayout,
    readonly camera: Camera,
    readonly window: Size,
  ) {
    this.part = partIn(camera, window);
  }

  /** Too small for single minions: each run of them is a block. */
  get asBlocks(): boolean {
    return ROW * this.camera.scale < LEAST_ROW_PX;
  }

  /** From one tier to the next, in pixels. */
  get columnPx(): number {
    return COLUMN * this.camera.across;
  }

  point(place: number): Point {
    return toWindow(this.camera, { x: this.layout.x(place), y: this.y(place) });
  }

  /** The host whose sign, or name, is at this point of the window; in blocks there is none. */
  hostAt(at: Point): number | undefined {
    const { camera, layout } = this;
    const { x, y } = toDrawing(camera, at);
    const reach = REACH_PX / camera.across;
    const column = Math.floor((x - MARGIN + reach) / COLUMN);
    if (x - MARGIN - column * COLUMN > LABEL) return undefined;
    const tier = (this.asBlocks ? layout.overlords : layout.tiers)[column] ?? [];
    const index = firstFrom(tier, (place) => this.y(place) >= y);
    const near = [tier[index - 1], tier[index]]
      .filter((place) => place !== undefined)
      .sort((a, b) => Math.abs(this.y(a) - y) - Math.abs(this.y(b) - y))[0];
    const most = Math.max(LEAST_REACH, REACH_PX / camera.scale);
    return near !== undefined && Math.abs(this.y(near) - y) <= most ? near : undefined;
  }

  /** The block at this point of the window. */
  blockAt(at: Point): LeafRun | undefined {
    if (!this.asBlocks) return undefined;
    const { camera, layout } = this;
    const { x, y } = toDrawing(camera, at);
    const column = Math.round((x - MARGIN) / COLUMN);
    const off = (x - MARGIN - column * COLUMN) * camera.across;
    if (off < -BLOCK_REACH_PX || off > LABEL * camera.across) return undefined;
    const runs = layout.runs[column] ?? [];
    const run = runs[firstFrom(runs, ({ bottom }) => bottom + ROW / 2 >= y)];
    return run && run.top - ROW / 2 <= y ? run : undefined;
  }

  /** In the drawing's units. */
  y(place: number): number {
    const y = this.layout.y(place);
    const span = this.layout.spanOf(place);
    if (!span) return y;
    const { top, bottom } = this.part;
    const kept = Math.min(KEPT_PX / this.camera.scale, (bottom - top) / 2);
    const least = span.top < top ? Math.min(span.bottom, top + kept) : span.top;
    const most = span.bottom > bottom ? Math.max(span.top, bottom - kept) : span.bottom;
    return Math.max(least, Math.min(most, y));
  }
}
