import type { EndedCall } from "../../extension/webviews/mapProtocol";
import type { MapTree } from "./mapTree";

/** From one tier to the next. */
const HOP_MS = 450;
/** More would be a cloud. */
const MAX_RETURNS = 60;

/** An answer on its way up. */
export interface Return {
  place: number;
  well: boolean;
  startMs: number;
}

/** Where an answer is: between the host and the one above it, 0 at the host. */
export interface ReturnPoint {
  place: number;
  part: number;
  well: boolean;
}

/** The calls in flight: how many are under way through each host, and the answers that come back. */
export class CallTraffic {
  /** Calls under way to the host or those behind it. */
  private through: Uint32Array = new Uint32Array(0);
  private returns: Return[] = [];
  private total = 0;
  private began = false;

  /** In words, for those who do not see the dots; the same while any call is under way. */
  get spoken(): string {
    if (this.total > 0) return "Calls are under way";
    return this.began ? "No calls are under way any more" : "";
  }

  /** Calls under way. */
  get underWay(): number {
    return this.total;
  }

  get isMoving(): boolean {
    return this.total > 0 || this.returns.length > 0;
  }

  clear(): void {
    this.through = new Uint32Array(0);
    this.returns = [];
    this.total = 0;
  }

  take(tree: MapTree, under: readonly number[], ended: readonly EndedCall[], nowMs: number): void {
    const through = new Uint32Array(tree.names.length);
    for (const place of under) through[place] = (through[place] ?? 0) + 1;
    for (let place = tree.names.length - 1; place > 0; place--) {
      const parent = tree.parentOf(place);
      through[parent] = (through[parent] ?? 0) + (through[place] ?? 0);
    }
    this.through = through;
    this.total = under.length;
    this.began ||= under.length > 0;
    const room = MAX_RETURNS - this.returns.length;
    for (const { place, well } of spread(ended, room)) {
      this.returns.push({ place, well, startMs: nowMs });
    }
  }

  /** Calls under way to the host, or to those behind it. */
  countOf(place: number): number {
    return this.through[place] ?? 0;
  }

  /** Calls under way to any of these hosts. */
  countOfAll(places: readonly number[]): number {
    if (this.total === 0) return 0;
    return places.reduce((sum, place) => sum + this.countOf(place), 0);
  }

  /** Where the answers are now; those that have arrived are gone. */
  pointsAt(tree: MapTree, nowMs: number): ReturnPoint[] {
    const points: ReturnPoint[] = [];
    this.returns = this.returns.filter(({ place, well, startMs }) => {
      const hops = (nowMs - startMs) / HOP_MS;
      const way = tree.wayTo(place);
      const at = way[way.length - 1 - Math.floor(hops)];
      if (hops >= tree.depthOf(place) || at === undefined) return false;
      points.push({ place: at, part: hops - Math.floor(hops), well });
      return true;
    });
    return points;
  }
}

/** Some of them, from all over the list. */
function spread<T>(items: readonly T[], most: number): readonly T[] {
  if (items.length <= most) return items;
  if (most <= 0) return [];
  const step = items.length / most;
  return Array.from({ length: most }, (_, at) => items[Math.floor(at * step)]).filter(
    (item): item is T => item !== undefined,
  );
}
