import { leafRunsOf, type LeafRun } from "./leafRuns";
import type { MapTree } from "./mapTree";

/** From one tier to the next. */
export const COLUMN = 240;
/** As close as tiers come to each other, of a map that is not very deep. */
const LEAST_ACROSS = 0.6;
const TIERS_IN_WINDOW = 4;
/** Of hosts that stand below each other. */
export const ROW = 26;
/** More for a sub-overlord, which has two lines of text. */
const OVERLORD_ROW = 44;
/** Between the hosts of one overlord and those of the next. */
const GAP = 14;
export const MARGIN = 40;

/** An overlord whose hosts show: from its first host to its last. */
export interface ShownParent {
  place: number;
  top: number;
  bottom: number;
}

/** Where the hosts that show are drawn: from the left to the right by tier, in the map's order from the top. */
export class TreeLayout {
  /** Those that show, each right after the one above it or a brother's last. */
  readonly order: readonly number[];
  readonly width: number;
  readonly height: number;
  readonly leastAcross: number;
  /** By tier, from the top down. */
  readonly tiers: readonly (readonly number[])[];
  /** Of these, those with hosts of their own. */
  readonly overlords: readonly (readonly number[])[];
  /** Those whose hosts show, by tier, from the top down. */
  readonly parents: readonly (readonly ShownParent[])[];
  /** Minions without others between them, by tier, from the top down. */
  readonly runs: readonly (readonly LeafRun[])[];
  private readonly spans = new Map<number, ShownParent>();
  private readonly ys: Float64Array;
  private readonly shown: Uint8Array;

  constructor(
    private readonly tree: MapTree,
    expanded: ReadonlySet<number>,
  ) {
    this.ys = new Float64Array(tree.names.length);
    this.shown = new Uint8Array(tree.names.length);
    this.order = orderOf(tree, expanded);
    this.height = this.place(expanded);
    this.tiers = this.byTier();
    this.overlords = this.tiers.map((tier) => tier.filter((place) => tree.isOverlord(place)));
    this.runs = this.tiers.map((tier) => leafRunsOf(tree, tier, (place) => this.y(place)));
    this.parents = this.parentsByTier(expanded);
    this.leastAcross = Math.min(LEAST_ACROSS, TIERS_IN_WINDOW / Math.max(1, this.tiers.length));
    this.width = MARGIN * 2 + this.tiers.length * COLUMN;
  }

  has(place: number): boolean {
    return this.shown[place] === 1;
  }

  x(place: number): number {
    return MARGIN + this.tree.depthOf(place) * COLUMN;
  }

  y(place: number): number {
    return this.ys[place] ?? 0;
  }

  /** From the first host of an overlord to its last; undefined where they do not show. */
  spanOf(place: number): ShownParent | undefined {
    return this.spans.get(place);
  }

  /** The host itself where it shows, or the one above it that does. */
  visible(place: number): number {
    let at = place;
    while (at > 0 && !this.has(at)) at = this.tree.parentOf(at);
    return Math.max(0, at);
  }

  /** Gives each its height from the top; the whole height. */
  private place(expanded: ReadonlySet<number>): number {
    const { tree, order } = this;
    let bottom = MARGIN;
    let before: number | undefined;
    for (const place of order) {
      this.shown[place] = 1;
      if (expanded.has(place) && tree.isOverlord(place)) continue;
      const row = tree.isOverlord(place) ? OVERLORD_ROW : ROW;
      const apart = before !== undefined && tree.parentOf(before) !== tree.parentOf(place);
      this.ys[place] = bottom + row / 2 + (apart ? GAP : 0);
      bottom += row + (apart ? GAP : 0);
      before = place;
    }
    for (let index = order.length - 1; index >= 0; index--) {
      const place = order[index] ?? 0;
      const children = expanded.has(place) ? tree.childrenOf(place) : [];
      const [first] = children;
      const last = children.at(-1);
      if (first === undefined || last === undefined) continue;
      this.ys[place] = (this.y(first) + this.y(last)) / 2;
    }
    return bottom + MARGIN;
  }

  private byTier(): number[][] {
    const tiers: number[][] = [];
    for (const place of this.order) (tiers[this.tree.depthOf(place)] ??= []).push(place);
    return tiers;
  }

  private parentsByTier(expanded: ReadonlySet<number>): ShownParent[][] {
    return this.tiers.map((tier) =>
      tier.flatMap((place) => {
        const children = expanded.has(place) ? this.tree.childrenOf(place) : [];
        const [first] = children;
        const last = children.at(-1);
        if (first === undefined || last === undefined) return [];
        const parent = { place, top: this.y(first), bottom: this.y(last) };
        this.spans.set(place, parent);
        return parent;
      }),
    );
  }
}

/** The first index from which on `reached` is true; the length where it never is. */
export function firstFrom<T>(items: readonly T[], reached: (item: T) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const item = items[middle];
    if (item !== undefined && reached(item)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Those that show, parents before children, by a stack: maps may be deep. */
function orderOf(tree: MapTree, expanded: ReadonlySet<number>): number[] {
  const order: number[] = [];
  const waiting = tree.names.length > 0 ? [0] : [];
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    order.push(place);
    if (!expanded.has(place)) continue;
    const children = tree.childrenOf(place);
    for (let index = children.length - 1; index >= 0; index--) {
      const child = children[index];
      if (child !== undefined) waiting.push(child);
    }
  }
  return order;
}
