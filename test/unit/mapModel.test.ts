import { describe, expect, it } from "vitest";
import { centred, fitting, held, toDrawing, zoomed } from "../../media/map/camera";
import { CallTraffic } from "../../media/map/callTraffic";
import { firstExpanded } from "../../media/map/firstExpanded";
import { findHosts, nextHit } from "../../media/map/hostSearch";
import { keyMove, TypeAhead } from "../../media/map/mapKeys";
import { MapModel } from "../../media/map/mapModel";
import { MapTree } from "../../media/map/mapTree";
import { Placing } from "../../media/map/placing";
import { TreeLayout } from "../../media/map/treeLayout";
import { mapOf, modelOf, treeOf, wide } from "../fixtures/shownMaps";

const SMALL = { mid1: { leaf1: {}, leaf2: {} }, mid2: { mid3: { leaf3: {} } }, own: {} };

describe("MapTree", () => {
  it("knows tiers, counts and paths", () => {
    const tree = treeOf(SMALL);
    const leaf3 = tree.find(["mid2", "mid3", "leaf3"]) ?? -1;
    expect(tree.tiers).toBe(3);
    expect(tree.size).toBe(7);
    expect(tree.behind(0)).toBe(7);
    expect(tree.pathOf(leaf3)).toEqual(["mid2", "mid3", "leaf3"]);
    expect(tree.find(["mid1", "leaf3"])).toBeUndefined();
    expect(tree.isOverlord(tree.find(["own"]) ?? -1)).toBe(false);
  });

  it("finds the way of a call that goes another way than the tree", () => {
    const tree = treeOf({ mid1: { mid2: { leaf1: {} } }, mid2: {} });
    const way = tree.findHops(["mid2", "leaf1"]).map((place) => tree.nameOf(place));
    expect(way).toEqual(["top", "mid2", "leaf1"]);
  });

  it("is no deeper in memory than in the map", () => {
    const names = Array.from({ length: 5_000 }, (_, at) => `n${at}`);
    const tree = new MapTree(
      names,
      names.map((_, at) => at - 1),
    );
    expect(tree.tiers).toBe(4_999);
    expect(new TreeLayout(tree, new Set(names.keys())).order).toHaveLength(5_000);
  });
});

describe("TreeLayout", () => {
  it("puts hosts below each other and overlords in the middle of theirs", () => {
    const tree = treeOf(SMALL);
    const layout = new TreeLayout(tree, new Set(tree.names.keys()));
    const at = (...path: string[]): number => tree.find(path) ?? -1;
    expect(layout.y(at("mid1"))).toBe(
      (layout.y(at("mid1", "leaf1")) + layout.y(at("mid1", "leaf2"))) / 2,
    );
    for (const tier of layout.tiers) {
      const ys = tier.map((place) => layout.y(place));
      expect(ys).toEqual(ys.toSorted((a, b) => a - b));
      expect(new Set(ys).size).toBe(ys.length);
    }
    expect(layout.x(at("mid1", "leaf1"))).toBe(layout.x(at("mid2", "mid3")));
  });

  it("finds the host at a point, and nothing between hosts", () => {
    const tree = treeOf(SMALL);
    const layout = new TreeLayout(tree, new Set([0]));
    const mid2 = tree.find(["mid2"]) ?? -1;
    const camera = { x: 0, y: 0, scale: 1, across: 1 };
    const placing = new Placing(layout, camera, { width: 1_000, height: 800 });
    const at = (x: number, y: number): number | undefined =>
      placing.hostAt({ x: layout.x(mid2) + x, y: layout.y(mid2) + y });
    expect(at(50, 3)).toBe(mid2);
    expect(at(0, 20)).toBeUndefined();
    expect(at(170, 0)).toBeUndefined();
  });

  it("shows at first as many tiers as can be read", () => {
    const small = treeOf(SMALL);
    expect(firstExpanded(small).size).toBe(4);
    const large = treeOf({ mid1: wide(200), mid2: wide(2) });
    expect([...firstExpanded(large)]).toEqual([0]);
  });
});

describe("the camera", () => {
  it("keeps the point under the pointer while it zooms", () => {
    const drawing = { width: 500, height: 400, leastAcross: 0.6 };
    const before = { x: 10, y: 20, scale: 1, across: 1 };
    for (const factor of [2, 0.1]) {
      const after = zoomed(before, factor, { x: 110, y: 220 }, drawing);
      const { x, y } = toDrawing(after, { x: 110, y: 220 });
      expect([Math.round(x), Math.round(y)]).toEqual([100, 200]);
    }
    expect(zoomed(before, 0.1, { x: 0, y: 0 }, drawing)).toMatchObject({ scale: 0.1, across: 0.6 });
  });

  it("never loses the drawing, and never shows it larger than life at first", () => {
    const drawing = { width: 500, height: 400, leastAcross: 0.6 };
    const window = { width: 1_000, height: 800 };
    expect(fitting(drawing, window).scale).toBe(1);
    expect(held({ x: 99_999, y: -99_999, scale: 1, across: 1 }, drawing, window)).toMatchObject({
      x: 750,
      y: -200,
    });
    const camera = { x: 0, y: 0, scale: 0.1, across: 0.6 };
    const { x, across } = centred(camera, { x: 100, y: 100 }, window, 0.8);
    expect(100 * across + x).toBe(500);
  });
});

describe("search and keys", () => {
  it("finds parts of names and globs, and goes around", () => {
    const tree = treeOf(SMALL);
    const names = (query: string): string[] =>
      findHosts(tree, query).map((place) => tree.nameOf(place));
    expect(names("LEAF")).toEqual(["leaf1", "leaf2", "leaf3"]);
    expect(names("mid?")).toEqual(["mid1", "mid2", "mid3"]);
    expect(names("*1")).toEqual(["mid1", "leaf1"]);
    expect(names(" ")).toEqual([]);
    expect(nextHit([2, 5], 5, false)).toBe(2);
    expect(nextHit([2, 5], 2, true)).toBe(5);
    expect(nextHit([], 2, false)).toBeUndefined();
  });

  it("takes no time over a glob with many stars", () => {
    const tree = treeOf({ ["a".repeat(250)]: {} });
    expect(findHosts(tree, `${"*a".repeat(100)}*b`)).toEqual([]);
  });

  it("moves as in a tree", () => {
    const model = modelOf(SMALL);
    const { tree } = model;
    model.select(tree.find(["mid1"]) ?? -1);
    const mid1 = model.selected;
    expect(keyMove(model, "ArrowLeft", 10)).toEqual({
      kind: "expand",
      place: mid1,
      expanded: false,
    });
    expect(keyMove(model, "ArrowDown", 10)).toEqual({
      kind: "select",
      place: tree.find(["mid1", "leaf1"]),
    });
    model.expand(mid1, false);
    expect(keyMove(model, "ArrowDown", 10)).toEqual({ kind: "select", place: tree.find(["mid2"]) });
    expect(keyMove(model, "ArrowRight", 10)).toEqual({
      kind: "expand",
      place: mid1,
      expanded: true,
    });
    expect(keyMove(model, "a", 10)).toBeUndefined();
  });

  it("finds what is typed, the same letter again goes on", () => {
    const model = modelOf(SMALL);
    const typeAhead = new TypeAhead();
    const type = (letter: string, atMs: number): string => {
      model.select(typeAhead.type(model, letter, atMs) ?? -1);
      return model.tree.nameOf(model.selected);
    };
    expect(type("m", 0)).toBe("mid1");
    expect(type("m", 2_000)).toBe("mid2");
    expect(type("o", 4_000)).toBe("own");
    expect(
      "id2".split("").reduce((_, letter, at) => type(letter, 6_200 + at), type("m", 6_100)),
    ).toBe("mid2");
  });
});

describe("MapModel", () => {
  it("keeps what is open and selected over a new map, as far as it has it", () => {
    const model = modelOf({ mid1: wide(200), mid2: { leaf1: {} } });
    model.reveal(model.tree.find(["mid2", "leaf1"]) ?? -1);
    model.takeMap(2, mapOf({ new1: {}, mid1: wide(3), mid2: { leaf1: {} } }));
    const { tree } = model;
    expect(tree.nameOf(model.selected)).toBe("leaf1");
    expect(model.expanded.has(tree.find(["mid2"]) ?? -1)).toBe(true);
    expect(model.expanded.has(tree.find(["mid1"]) ?? -1)).toBe(false);
  });

  it("is the same after a reload, by names alone", () => {
    const model = modelOf(SMALL);
    model.expand(model.tree.find(["mid1"]) ?? -1, false);
    model.select(model.tree.find(["own"]) ?? -1);
    model.search("leaf");
    const next = new MapModel();
    next.restore(structuredClone(model.keep()));
    next.takeMap(7, mapOf(SMALL));
    expect(next.tree.nameOf(next.selected)).toBe("own");
    expect(next.layout.order).toEqual(model.layout.order);
    expect(next.hits).toEqual(model.hits);
  });

  it("folding away the selection selects what it is folded into", () => {
    const model = modelOf(SMALL);
    model.reveal(model.tree.find(["mid2", "mid3", "leaf3"]) ?? -1);
    model.expand(model.tree.find(["mid2"]) ?? -1, false);
    expect(model.tree.nameOf(model.selected)).toBe("mid2");
    model.collapseAll();
    expect(model.layout.order).toHaveLength(4);
  });

  it("takes states of the map that it shows, and of no earlier one", () => {
    const model = modelOf(SMALL);
    model.takeStates(1, [{ place: 1, kind: "online", running: 0 }]);
    model.takeStates(0, [{ place: 2, kind: "unreachable", running: 0 }]);
    expect([
      model.countOf("online"),
      model.countOf("unreachable"),
      model.countOf("unknown"),
    ]).toEqual([1, 0, 6]);
  });
});

describe("CallTraffic", () => {
  it("counts calls on each line of their way, and lets answers travel up", () => {
    const tree = treeOf(SMALL);
    const leaf3 = tree.find(["mid2", "mid3", "leaf3"]) ?? -1;
    const traffic = new CallTraffic();
    traffic.take(tree, [leaf3], [], 0);
    expect(tree.wayTo(leaf3).map((place) => traffic.countOf(place))).toEqual([1, 1, 1, 1]);
    traffic.take(tree, [], [{ place: leaf3, well: true }], 1_000);
    expect(traffic.isMoving).toBe(true);
    expect(traffic.pointsAt(tree, 1_000)).toEqual([{ place: leaf3, part: 0, well: true }]);
    expect(traffic.pointsAt(tree, 1_500).map(({ place }) => tree.nameOf(place))).toEqual(["mid3"]);
    expect(traffic.pointsAt(tree, 9_000)).toEqual([]);
    expect(traffic.isMoving).toBe(false);
  });

  it("shows only some of thousands of answers", () => {
    const tree = treeOf(wide(5_000));
    const traffic = new CallTraffic();
    const ended = Array.from({ length: 5_000 }, (_, at) => ({ place: at + 1, well: true }));
    traffic.take(tree, [], ended, 0);
    expect(traffic.pointsAt(tree, 1)).toHaveLength(60);
  });
});
