import { expect, it } from "vitest";
import { placeOf } from "../../media/results/pagerView";
import { Selection } from "../../media/results/selection";
import { durationBars } from "../../media/results/sparkline";

const ITEMS = ["a", "b", "c", "d", "e"];
const itself = (item: string): string[] => [item];

it("selects one by one and in ranges, both ways", () => {
  const selection = new Selection();
  selection.toggle("b", ["b"]);
  selection.extend("d", ITEMS, itself);
  expect(selection.all()).toEqual(["b", "c", "d"]);
  selection.toggle("c", ["c"]);
  expect(selection.has("c")).toBe(false);
  selection.extend("a", ITEMS, itself);
  expect([...selection.all()].sort()).toEqual(["a", "b", "c", "d"]);
  selection.clear();
  selection.extend("e", ITEMS, itself);
  expect(selection.all()).toEqual(["e"]);
});

it("takes a group as a whole", () => {
  const selection = new Selection();
  selection.toggle("one", ["x"]);
  selection.toggle("group", ["x", "y"]);
  expect(selection.all()).toEqual(["x", "y"]);
  selection.toggle("group", ["x", "y"]);
  expect(selection.size).toBe(0);
});

it("begins a range anew where its beginning no longer shows", () => {
  const selection = new Selection();
  selection.toggle("gone", ["gone"]);
  selection.extend("c", ITEMS, itself);
  expect(selection.all()).toEqual(["gone", "c"]);
});

it("understands places within a large output", () => {
  expect(placeOf("50", 1_000)).toBe(500);
  expect(placeOf(" 12.5 % ", 1_000)).toBe(125);
  expect(placeOf("3 MB", 100_000_000)).toBe(3_000_000);
  expect(placeOf("100%", 1_000)).toBe(999);
  expect(placeOf("7 GB", 1_000)).toBe(999);
  expect(placeOf("x", 1_000)).toBeUndefined();
});

it("draws no distribution of a few or of equal durations", () => {
  expect(durationBars([1, 2, 3])).toBeUndefined();
  expect(durationBars(new Array<number>(20).fill(5))).toBeUndefined();
  const bars = durationBars([...new Array<number>(20).fill(100), 5_000]);
  expect(bars?.[0]).toBe(20);
  expect(bars?.at(-1)).toBe(1);
});
