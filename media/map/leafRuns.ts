import type { MapTree } from "./mapTree";

/** Minions of one overlord that stand right below each other, with nobody behind any of them. */
export interface LeafRun {
  parent: number;
  /** In the map's order. */
  places: readonly number[];
  /** Of the first and the last. */
  top: number;
  bottom: number;
}

/** The runs among the hosts of a tier, from the top down. */
export function leafRunsOf(
  tree: MapTree,
  tier: readonly number[],
  y: (place: number) => number,
): LeafRun[] {
  const runs: LeafRun[] = [];
  let from = 0;
  for (let index = 0; index <= tier.length; index++) {
    const first = tier[from];
    const place = tier[index];
    const goesOn =
      first !== undefined &&
      place !== undefined &&
      !tree.isOverlord(place) &&
      !tree.isOverlord(first) &&
      tree.parentOf(place) === tree.parentOf(first);
    if (goesOn) continue;
    const last = tier[index - 1];
    if (first !== undefined && last !== undefined && !tree.isOverlord(first)) {
      const places = tier.slice(from, index);
      runs.push({ parent: tree.parentOf(first), places, top: y(first), bottom: y(last) });
    }
    from = index;
  }
  return runs;
}

/** The host of a run that stands nearest to this height. */
export function nearestIn({ places, top, bottom }: LeafRun, y: number): number {
  const part = bottom > top ? (y - top) / (bottom - top) : 0;
  const index = Math.round(part * (places.length - 1));
  return places[Math.max(0, Math.min(places.length - 1, index))] ?? 0;
}
