import type { Camera, Size } from "./camera";
import type { MapTree } from "./mapTree";
import { firstFrom, type TreeLayout } from "./treeLayout";

/** Of lines that leave the window at one of its edges, so many are drawn: more look the same. */
const MAX_LEAVING = 24;

/** What of the drawing is in the window, in the drawing's own units. */
export interface Part {
  top: number;
  bottom: number;
}

export function partIn(camera: Camera, window: Size): Part {
  return {
    top: -camera.y / camera.scale,
    bottom: (window.height - camera.y) / camera.scale,
  };
}

/**
 * Hosts of a tier that are in the part, at most about one for each pixel of the window's height: of several, one
 * that `standsOut`.
 */
export function hostsIn(
  layout: TreeLayout,
  tier: readonly number[],
  part: Part,
  scale: number,
  standsOut: (place: number) => boolean,
): number[] {
  const margin = 30 / scale;
  const from = firstFrom(tier, (place) => layout.y(place) >= part.top - margin);
  const hosts: number[] = [];
  let last = -Infinity;
  for (let index = from; index < tier.length; index++) {
    const place = tier[index] ?? 0;
    const y = layout.y(place);
    if (y > part.bottom + margin) break;
    if ((y - last) * scale >= 1) {
      last = y;
      hosts.push(place);
    } else if (standsOut(place)) hosts[hosts.length - 1] = place;
  }
  return hosts;
}

/** Those whose line to the one above them crosses the part, thinned out where lines cannot be told apart. */
export function linesIn(tree: MapTree, layout: TreeLayout, part: Part, scale: number): number[] {
  const lines: number[] = [];
  layout.parents.forEach((parents) => {
    const from = firstFrom(
      parents,
      ({ place, bottom }) => Math.max(bottom, layout.y(place)) >= part.top,
    );
    for (let index = from; index < parents.length; index++) {
      const parent = parents[index];
      if (!parent || Math.min(parent.top, layout.y(parent.place)) > part.bottom) break;
      addLines(lines, tree.childrenOf(parent.place), layout, part, scale);
    }
  });
  return lines;
}

function addLines(
  lines: number[],
  children: readonly number[],
  layout: TreeLayout,
  part: Part,
  scale: number,
): void {
  const from = firstFrom(children, (child) => layout.y(child) >= part.top);
  const end = firstFrom(children, (child) => layout.y(child) > part.bottom);
  addSome(lines, children.slice(0, from));
  let last = -Infinity;
  for (let index = from; index < end; index++) {
    const child = children[index] ?? 0;
    const y = layout.y(child);
    if ((y - last) * scale < 1) continue;
    last = y;
    lines.push(child);
  }
  addSome(lines, children.slice(end));
}

function addSome(lines: number[], children: readonly number[]): void {
  const step = Math.max(1, Math.ceil(children.length / MAX_LEAVING));
  for (let index = 0; index < children.length; index += step) lines.push(children[index] ?? 0);
}
