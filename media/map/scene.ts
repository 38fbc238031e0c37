import type { Size, Camera } from "./camera";
import { curveBetween, traceCurve, type Curve } from "./curves";
import type { Labels } from "./labels";
import type { LeafRun } from "./leafRuns";
import type { MapModel } from "./mapModel";
import type { Placing } from "./placing";
import { LEAF_RADIUS, OVERLORD_RADIUS, TOP_RADIUS } from "./signs";
import type { Theme } from "./theme";

/** What is drawn, and how. */
export interface Scene {
  context: CanvasRenderingContext2D;
  model: MapModel;
  placing: Placing;
  window: Size;
  camera: Camera;
  theme: Theme;
  labels: Labels;
  /** How far right of its sign each overlord's lines spread, as far as it is known of this picture. */
  offsets: Map<number, number>;
  nowMs: number;
  /** Nothing moves by itself. */
  atRest: boolean;
  /** What is under the pointer. */
  hovered: Hovered;
  /** The keyboard's focus is on the drawing. */
  focused: boolean;
}

/** A host, a block of minions, or nothing. */
export type Hovered = { host: number } | { block: LeafRun } | undefined;

/** Whether the pointer is still on the same. */
export function isSameHovered(one: Hovered, other: Hovered): boolean {
  if (!one || !other) return one === other;
  if ("host" in one) return "host" in other && one.host === other.host;
  return "block" in other && one.block === other.block;
}

/** How large a host's sign is, in pixels, its ring left out. */
export function radiusOf({ model, camera }: Scene, place: number): number {
  const overlord = model.tree.isOverlord(place);
  const full = place === 0 ? TOP_RADIUS : overlord ? OVERLORD_RADIUS : LEAF_RADIUS;
  return Math.max(place === 0 || overlord ? 2.5 : 1.2, full * Math.min(1, camera.scale));
}

/** The line that leads to a host from the one above it. */
export function curveTo(scene: Scene, place: number): Curve {
  return curveFrom(scene, scene.model.tree.parentOf(place), place);
}

export function curveFrom(scene: Scene, from: number, to: number): Curve {
  const { placing } = scene;
  return curveBetween(placing.point(from), placing.point(to), offX(scene, from));
}

/** How far right of an overlord the lines to its hosts spread. */
export function offX(scene: Scene, place: number): number {
  const { labels, model, placing, offsets } = scene;
  let off = offsets.get(place);
  if (off === undefined) {
    off = labels.offX(model, placing, place, radiusOf(scene, place));
    offsets.set(place, off);
  }
  return off;
}

export function strokeCurves(
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
