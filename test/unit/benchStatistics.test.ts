import { describe, expect, it } from "vitest";
import { interleaved, median, pairedRatio, pairs, spread } from "../bench/statistics";

describe("the median", () => {
  it("is the middle one, whatever the order", () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([4])).toBe(4);
  });

  it("is the mean of the two middle ones of an even number", () => {
    expect(median([1, 10, 2, 4])).toBe(3);
  });

  it("leaves its argument as it was, and does not sort numbers as text", () => {
    const values = [10, 9, 100];
    expect(median(values)).toBe(10);
    expect(values).toEqual([10, 9, 100]);
  });

  it("of nothing is an error", () => {
    expect(() => median([])).toThrow(RangeError);
  });
});

describe("a paired ratio", () => {
  it("does not move when the machine is slow for some of the pairs", () => {
    const slowed = [1, 1, 10, 3, 1].map((factor) => ({ ours: 2 * factor, theirs: factor }));
    expect(pairedRatio(slowed)).toBe(2);
  });

  it("is no ratio of medians", () => {
    const ratio = pairedRatio(pairs([1, 20, 30], [1, 10, 300]));
    expect(ratio).toBe(1);
  });

  it("of something that took no time is an error", () => {
    expect(() => pairedRatio([{ ours: 0, theirs: 1 }])).toThrow(RangeError);
    expect(() => pairedRatio([{ ours: 1, theirs: -1 }])).toThrow(RangeError);
    expect(() => pairedRatio([])).toThrow(RangeError);
  });
});

describe("interleaved measurements", () => {
  it("alternate their order and are given back by round", async () => {
    const order: string[] = [];
    const measure = (name: string) => async (round: number) => {
      order.push(name);
      return Promise.resolve(`${name}${round}`);
    };
    const results = await interleaved(3, { a: measure("a"), b: measure("b") });
    expect(order.join("")).toBe("abbaab");
    expect(results).toEqual({ a: ["a0", "a1", "a2"], b: ["b0", "b1", "b2"] });
  });
});

it("shows a median with its extremes", () => {
  expect(spread([3, 1, 2.5])).toBe("2.50 [1.00-3.00]");
  expect(spread([3000, 1000], 0)).toBe("2000 [1000-3000]");
});
