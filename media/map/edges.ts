import type { Camera, Size } from "./camera";
import type { LeafRun } from "./leafRuns";
import type { MapTree } from "./mapTree";
import { firstFrom, ROW, type TreeLayout } from "./treeLayout";

/** More lines that leave the window at one of its edges are one bundle. */
const MAX_LEAVING = 4;

/** What leads to the hosts that show. */
export interface Lines {
  /** A line to each of these hosts. */
  places: number[];
  /** Hosts of one overlord beyond an edge of the window. */
  bundles: LeafRun[];
}

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
  yOf: (place: number) => number,
  tier: readonly number[],
  part: Part,
  scale: number,
  standsOut: (place: number) => boolean,
): number[] {
  const margin = 30 / scale;
  const from = firstFrom(tier, (place) => yOf(place) >= part.top - margin);
  const hosts: number[] = [];
  let last = -Infinity;
  for (let index = from; index < tier.length; index++) {
    const place = tier[index] ?? 0;
    const y = yOf(place);
    if (y > part.bottom + margin) break;
    if ((y - last) * scale >= 1) {
      last = y;
      hosts.push(place);
    } else if (standsOut(place)) hosts[hosts.length - 1] = place;
  }
  return hosts;
}

/**
 * Those whose line to the one above them crosses the part, thinned out where lines cannot be told apart.
 * `overlordsOnly`: minions are drawn as blocks.
 */
export function linesIn(
  tree: MapTree,
  layout: TreeLayout,
  part: Part,
  scale: number,
  overlordsOnly = false,
): Lines {
  const lines: Lines = { places: [], bundles: [] };
  for (const parents of layout.parents) {
    const from = firstFrom(parents, ({ bottom }) => bottom >= part.top);
    for (const { place, top } of parents.slice(from)) {
      if (top > part.bottom) break;
      const children = tree.childrenOf(place);
      const drawn = overlordsOnly ? children.filter((child) => tree.isOverlord(child)) : children;
      addLines(lines, { parent: place, places: drawn }, layout, part, scale);
    }
  }
  return lines;
}

/** The runs of minions that are in the part. */
export function runsIn(layout: TreeLayout, part: Part): LeafRun[] {
  return layout.runs.flatMap((runs) => {
    const from = firstFrom(runs, ({ bottom }) => bottom + ROW / 2 >= part.top);
    const end = firstFrom(runs, ({ top }) => top - ROW / 2 > part.bottom);
    return runs.slice(from, end);
  });
}

function addLines(
  lines: Lines,
  { parent, places }: { parent: number; places: readonly number[] },
  layout: TreeLayout,
  part: Part,
  scale: number,
): void {
  const from = firstFrom(places, (child) => layout.y(child) >= part.top);
  const end = firstFrom(places, (child) => layout.y(child) > part.bottom);
  for (const leaving of [places.slice(0, from), places.slice(end)]) {
    const [first] = leaving;
    const last = leaving.at(-1);
    if (first === undefined || last === undefined) continue;
    if (leaving.length <= MAX_LEAVING) lines.places.push(...leaving);
    else {
      const span = { top: layout.y(first), bottom: layout.y(last) };
      lines.bundles.push({ parent, places: leaving, ...span });
    }
  }
  let last = -Infinity;
  for (let index = from; index < end; index++) {
    const child = places[index] ?? 0;
    const y = layout.y(child);
    if ((y - last) * scale < 1) continue;
    last = y;
    lines.places.push(child);
  }
}
