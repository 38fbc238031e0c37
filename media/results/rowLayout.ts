/** Height of a closed row in CSS pixels; the stylesheet's --row says the same. */
export const ROW_HEIGHT = 26;

/** Pixels drawn beyond the visible ones, so that fast scrolling shows no gaps. */
const OVERSCAN = 8 * ROW_HEIGHT;

/** Where each item of a long list stands, when each has its own height. */
export class RowLayout {
  private readonly tops: Float64Array;

  /** `heightOf`: an item's height in pixels. */
  constructor(
    readonly count: number,
    heightOf: (index: number) => number,
  ) {
    this.tops = new Float64Array(count + 1);
    let top = 0;
    for (let index = 0; index < count; index++) {
      top += heightOf(index);
      this.tops[index + 1] = top;
    }
  }

  /** Height of all items together. */
  get height(): number {
    return this.top(this.count);
  }

  top(index: number): number {
    return this.tops[Math.min(index, this.count)] ?? 0;
  }

  heightOf(index: number): number {
    return this.top(index + 1) - this.top(index);
  }

  /** The item at a distance from the top. */
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

  /** The items to draw for a window of the list: `first` up to but not including `end`. */
  visible(scrollTop: number, viewHeight: number): { first: number; end: number } {
    if (this.count === 0) return { first: 0, end: 0 };
    const first = this.indexAt(Math.max(0, scrollTop - OVERSCAN));
    const end = Math.min(this.count, this.indexAt(scrollTop + viewHeight + OVERSCAN) + 1);
    return { first, end };
  }
}
