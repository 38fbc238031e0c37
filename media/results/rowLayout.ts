/** Height of a closed row in CSS pixels; the stylesheet's --row says the same. */
export const ROW_HEIGHT = 26;

/** Rows drawn beyond the visible ones, so that fast scrolling shows no gaps. */
const OVERSCAN = 8;

/**
 * Where each row of a long list stands, when all closed rows are equally high and a few opened ones
 * are higher. Positions are indexes into the list as it is filtered.
 */
export class RowLayout {
  private readonly opened: readonly { index: number; extra: number }[];

  /** `extras`: by index, how much higher an opened row is than a closed one. */
  constructor(
    readonly count: number,
    extras: ReadonlyMap<number, number>,
  ) {
    this.opened = [...extras]
      .map(([index, extra]) => ({ index, extra }))
      .sort((a, b) => a.index - b.index);
  }

  /** Height of all rows together. */
  get height(): number {
    return this.top(this.count);
  }

  top(index: number): number {
    let top = index * ROW_HEIGHT;
    for (const { index: at, extra } of this.opened) {
      if (at >= index) break;
      top += extra;
    }
    return top;
  }

  /** The row at a distance from the top. */
  indexAt(y: number): number {
    let low = 0;
    let high = Math.max(0, this.count - 1);
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.top(middle) <= y) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The rows to draw for a window of the list: `first` up to but not including `end`. */
  visible(scrollTop: number, viewHeight: number): { first: number; end: number } {
    const first = Math.max(0, this.indexAt(scrollTop) - OVERSCAN);
    const end = Math.min(this.count, this.indexAt(scrollTop + viewHeight) + 1 + OVERSCAN);
    return { first, end };
  }
}
