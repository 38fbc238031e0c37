import { describe, expect, it } from "vitest";
import { ROW_HEIGHT, RowLayout } from "../../media/results/rowLayout";

describe("RowLayout", () => {
  it("places rows below opened ones", () => {
    const layout = new RowLayout(10, new Map([[2, 100]]));
    expect(layout.top(2)).toBe(2 * ROW_HEIGHT);
    expect(layout.top(3)).toBe(3 * ROW_HEIGHT + 100);
    expect(layout.height).toBe(10 * ROW_HEIGHT + 100);
  });

  it("finds the row at a height, also within an opened one", () => {
    const layout = new RowLayout(10, new Map([[2, 100]]));
    expect(layout.indexAt(0)).toBe(0);
    expect(layout.indexAt(ROW_HEIGHT)).toBe(1);
    expect(layout.indexAt(3 * ROW_HEIGHT + 50)).toBe(2);
    expect(layout.indexAt(3 * ROW_HEIGHT + 100)).toBe(3);
    expect(layout.indexAt(1_000_000)).toBe(9);
  });

  it("draws a window of a long list only", () => {
    const { first, end } = new RowLayout(5_000, new Map()).visible(2_500 * ROW_HEIGHT, 600);
    expect(first).toBeGreaterThan(2_480);
    expect(end).toBeLessThan(2_540);
    expect(new RowLayout(0, new Map()).visible(0, 600)).toEqual({ first: 0, end: 0 });
  });
});
