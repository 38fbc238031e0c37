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
const MARGIN = 40;

/** A sub-overlord whose hosts show, and how far they reach. */
export interface ShownParent {
  place: number;
  /** Of itself and its hosts. */
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
  /** Those whose hosts show, by tier, from the top down. */
  readonly parents: readonly (readonly ShownParent[])[];
  private readonly reaches = new Map<number, number>();
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

  /** How far the hosts of a sub-overlord reach that show; 0 for others. */
  reach(place: number): number {
    return this.reaches.get(place) ?? 0;
  }

  /** The host itself where it shows, or the one above it that does. */
  visible(place: number): number {
    let at = place;
    while (at > 0 && !this.has(at)) at = this.tree.parentOf(at);
    return Math.max(0, at);
  }

  /**
   * The host whose sign is at this point, give or take `reach` (across and down), or its label, `label` wide to
   * the right of it.
   */
  at(
    { x, y }: { x: number; y: number },
    reach: { x: number; y: number },
    label: number,
  ): number | undefined {
    const column = Math.floor((x - MARGIN + reach.x) / COLUMN);
    if (x - MARGIN - column * COLUMN > label) return undefined;
    const tier = this.tiers[column] ?? [];
    const index = firstFrom(tier, (place) => this.y(place) >= y);
    const near = [tier[index - 1], tier[index]]
      .filter((place) => place !== undefined)
      .sort((a, b) => Math.abs(this.y(a) - y) - Math.abs(this.y(b) - y))[0];
    return near !== undefined && Math.abs(this.y(near) - y) <= reach.y ? near : undefined;
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
        const [top, bottom] = [this.y(first), this.y(last)];
        this.reaches.set(place, bottom - top);
        return { place, top, bottom };
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
