import { describe, expect, it } from "vitest";
import { parseSize, parseTree, planTree } from "../../scripts/localTree";

describe("a tree on this machine", () => {
  it("is read from how many stand below each", () => {
    expect(parseTree("2x3")).toEqual([2, 3]);
    expect(parseTree("2x3x4")).toEqual([2, 3, 4]);
    for (const wrong of ["", "3", "2x", "x3", "2x0", "2x-1", "2x3 ", "2*3", "1x".repeat(9) + "1"]) {
      expect(() => parseTree(wrong)).toThrow("is no tree");
    }
    expect(parseSize("12")).toEqual([12]);
    for (const wrong of ["", "0", "1.5", "many"]) expect(() => parseSize(wrong)).toThrow();
  });

  it("numbers sub-overlords and minions from the top down", () => {
    const sites = planTree("/top", [2, 1, 2], 1);
    expect(sites.map(({ name, names }) => [name, names])).toEqual([
      ["top", ["mid1", "mid2", "minion5"]],
      ["mid1", ["mid3"]],
      ["mid2", ["mid4"]],
      ["mid3", ["minion1", "minion2"]],
      ["mid4", ["minion3", "minion4"]],
    ]);
    expect(sites[1]?.home).toBe("/top/sub-overlords/mid1");
    expect(sites[1]?.subOverlords.get("mid3")).toBe(sites[3]?.home);
    expect(sites[3]?.subOverlords.size).toBe(0);
  });

  it("is one overlord where there is one tier, and never too many", () => {
    expect(planTree("/top", [3]).map(({ names }) => names)).toEqual([
      ["minion1", "minion2", "minion3"],
    ]);
    expect(() => planTree("/top", [60, 1])).toThrow("at most 50 overlords");
  });
});
