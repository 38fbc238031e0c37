import { describe, expect, it } from "vitest";
import { ROW_HEIGHT, RowLayout } from "../../media/results/rowLayout";

/** Closed rows, and one that is 100 pixels higher. */
function withOpened(count: number, opened: number): RowLayout {
  return new RowLayout(count, (index) => ROW_HEIGHT + (index === opened ? 100 : 0));
}

describe("RowLayout", () => {
  it("places rows below opened ones", () => {
    const layout = withOpened(10, 2);
    expect(layout.top(2)).toBe(2 * ROW_HEIGHT);
    expect(layout.top(3)).toBe(3 * ROW_HEIGHT + 100);
    expect(layout.heightOf(2)).toBe(ROW_HEIGHT + 100);
    expect(layout.height).toBe(10 * ROW_HEIGHT + 100);
  });

  it("finds the row at a height, also within an opened one", () => {
    const layout = withOpened(10, 2);
    expect(layout.indexAt(0)).toBe(0);
    expect(layout.indexAt(ROW_HEIGHT)).toBe(1);
    expect(layout.indexAt(3 * ROW_HEIGHT + 50)).toBe(2);
    expect(layout.indexAt(3 * ROW_HEIGHT + 100)).toBe(3);
    expect(layout.indexAt(1_000_000)).toBe(9);
  });

  it("draws a window of a long list only", () => {
    const long = new RowLayout(5_000, () => ROW_HEIGHT);
    const { first, end } = long.visible(2_500 * ROW_HEIGHT, 600);
    expect(first).toBeGreaterThan(2_480);
    expect(end).toBeLessThan(2_540);
    expect(withOpened(0, 0).visible(0, 600)).toEqual({ first: 0, end: 0 });
  });
});
