import type { Camera, Size } from "./camera";

/** The camera on its way from one view to another, at this part of the way (0 to 1): as if one zoomed there. */
export function glideAt(from: Camera, to: Camera, { width, height }: Size, part: number): Camera {
  const slow = part * part * (3 - 2 * part);
  const [x, across] = axisAt([from.x, from.across], [to.x, to.across], width / 2, slow);
  const [y, scale] = axisAt([from.y, from.scale], [to.y, to.scale], height / 2, slow);
  return { x, y, scale, across };
}

/** Offset and scale of one axis; `middle`: of the window. */
function axisAt(
  [offset, scale]: readonly [number, number],
  [nextOffset, nextScale]: readonly [number, number],
  middle: number,
  part: number,
): [number, number] {
  const now = scale * (nextScale / scale) ** part;
  const from = (middle - offset) / scale;
  const to = (middle - nextOffset) / nextScale;
  const zooms = Math.abs(nextScale - scale) > scale * 1e-6;
  // evenly in the window, which is not evenly in the drawing
  const way = zooms ? (1 / scale - 1 / now) / (1 / scale - 1 / nextScale) : part;
  return [middle - (from + (to - from) * way) * now, now];
}
