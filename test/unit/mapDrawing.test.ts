import { describe, expect, it } from "vitest";
import type { HostState } from "../../extension/webviews/mapProtocol";
import { fitting, toWindow, type Camera } from "../../media/map/camera";
import { curveBetween, pointOn } from "../../media/map/curves";
import { hostsIn, linesIn, partIn, runsIn } from "../../media/map/edges";
import { glideAt } from "../../media/map/glide";
import { nearestIn } from "../../media/map/leafRuns";
import { Placing } from "../../media/map/placing";
import { segmentsOf, StateShares } from "../../media/map/stateShares";
import { TreeLayout } from "../../media/map/treeLayout";
import { Viewpoint } from "../../media/map/viewpoint";
import { mapOf, modelOf, treeOf, wide, type Shape } from "../fixtures/shownMaps";

const WINDOW = { width: 1_000, height: 800 };
const AT_REST = { moved: () => undefined, atRest: () => true };
const NEAR: Camera = { x: 0, y: -5_000, scale: 1, across: 1 };

function layoutOf(shape: Shape): TreeLayout {
  const tree = treeOf(shape);
  return new TreeLayout(tree, new Set(tree.names.keys()));
}

describe("large maps", () => {
  const shape = { mid1: wide(9_000), mid2: wide(1_000) };
  const tree = treeOf(shape);
  const layout = layoutOf(shape);
  const y = (place: number): number => layout.y(place);

  it("draws no more of 10,000 hosts than a window can show", () => {
    const [, , leaves = []] = layout.tiers;
    for (const camera of [
      fitting(layout, WINDOW),
      { x: 0, y: -50_000, scale: 1, across: 1 },
      { x: 0, y: 0, scale: 0.1, across: 0.6 },
    ]) {
      const part = partIn(camera, WINDOW);
      expect(hostsIn(y, leaves, part, camera.scale, () => false).length).toBeLessThan(900);
      const { places, bundles } = linesIn(tree, layout, part, camera.scale);
      expect(places.length + bundles.length).toBeGreaterThan(0);
      expect(places.length + bundles.length).toBeLessThan(950);
    }
  });

  it("draws of hosts that share a pixel one that stands out", () => {
    const [, , hosts = []] = layout.tiers;
    const camera = fitting(layout, WINDOW);
    const part = partIn(camera, WINDOW);
    const drawn = hostsIn(y, hosts, part, camera.scale, (place) => place === 5_003);
    expect(drawn).toContain(5_003);
    expect(drawn.length).toBeLessThan(900);
  });

  it("bundles what leaves the window", () => {
    const part = partIn(NEAR, WINDOW);
    const { places, bundles } = linesIn(tree, layout, part, NEAR.scale);
    const leaves = places.filter((place) => !tree.isOverlord(place));
    expect(leaves.length).toBeLessThan(40);
    const [above, below] = bundles;
    expect(leaves.length + (above?.places.length ?? 0) + (below?.places.length ?? 0)).toBe(9_000);
    expect(above?.bottom).toBeLessThan(part.top);
    expect(below?.top).toBeGreaterThan(part.bottom);
  });

  it("makes blocks of minions that are too small for a sign each", () => {
    const camera = fitting(layout, WINDOW);
    const placing = new Placing(layout, camera, WINDOW);
    expect(placing.asBlocks).toBe(true);
    expect(new Placing(layout, NEAR, WINDOW).asBlocks).toBe(false);
    const [first, second] = runsIn(layout, placing.part);
    expect([first?.places.length, second?.places.length]).toEqual([9_000, 1_000]);
    const { places } = linesIn(tree, layout, placing.part, camera.scale, true);
    expect(places.map((place) => tree.nameOf(place))).toEqual(["mid1", "mid2"]);
    const leaf = tree.find(["mid1", "h4500"]) ?? -1;
    const at = placing.point(leaf);
    expect(placing.hostAt(at)).toBeUndefined();
    const block = placing.blockAt(at);
    expect(block).toBe(first);
    expect(block && nearestIn(block, layout.y(leaf))).toBe(leaf);
    const mid2 = tree.find(["mid2"]) ?? -1;
    const { x, y } = placing.point(mid2);
    expect(placing.hostAt({ x: x + 4, y: y - 6 })).toBe(mid2);
  });

  it("keeps an overlord in the window with its minions, and never beside others'", () => {
    const mid1 = tree.find(["mid1"]) ?? -1;
    const mid2 = tree.find(["mid2"]) ?? -1;
    const placing = new Placing(layout, NEAR, WINDOW);
    expect(placing.point(mid1).y).toBeGreaterThan(0);
    expect(placing.point(mid1).y).toBeLessThan(WINDOW.height);
    expect(placing.point(mid2).y).toBeGreaterThan(WINDOW.height);
    expect(placing.hostAt(placing.point(mid1))).toBe(mid1);
    const end = layout.spanOf(mid1)?.bottom ?? 0;
    const atEnd = new Placing(layout, { ...NEAR, y: 10 - end }, WINDOW);
    expect(atEnd.point(mid1).y).toBe(10);
    expect(atEnd.point(mid2).y).toBeGreaterThan(10);
  });

  it("leaves all where they are as long as all show", () => {
    const placing = new Placing(layout, fitting(layout, WINDOW), WINDOW);
    for (const [place] of tree.names.entries()) expect(placing.y(place)).toBe(layout.y(place));
  });
});

describe("runs of minions", () => {
  it("ends where a sub-overlord, or another's minion, comes between", () => {
    const tree = treeOf({ a: {}, b: {}, mid1: { c: {}, d: {} }, e: {}, mid2: { f: {} } });
    const layout = new TreeLayout(tree, new Set(tree.names.keys()));
    const names = layout.runs.map((runs) =>
      runs.map(({ places }) => places.map((place) => tree.nameOf(place)).join("")),
    );
    expect(names).toEqual([[], ["ab", "e"], ["cd", "f"]]);
  });

  it("tells how many stand how, one of thousands too", () => {
    const tree = treeOf({ mid1: wide(3_000) });
    const layout = new TreeLayout(tree, new Set(tree.names.keys()));
    const stateOf = (place: number): HostState => {
      return { place, kind: place === 7 ? "unreachable" : "online", running: 0 };
    };
    const shares = new StateShares(tree, stateOf);
    const [run] = layout.runs.flat();
    if (!run) throw new Error("no run");
    expect(shares.of(run)).toEqual({ online: 2_999, unreachable: 1, unknown: 0 });
    expect(shares.unreachableBehind(0)).toBe(1);
    expect(shares.unreachableBehind(7)).toBe(0);
    const segments = segmentsOf(shares.of(run), 40, 3);
    expect(segments.map(({ kind }) => kind)).toEqual(["online", "unreachable"]);
    expect(segments[1]?.height).toBeGreaterThanOrEqual(3);
    expect(segments.reduce((sum, { height }) => sum + height, 0)).toBeCloseTo(40);
    for (const { height } of segmentsOf({ online: 1, unreachable: 1, unknown: 1 }, 2, 3)) {
      expect(height).toBeCloseTo(2 / 3);
    }
  });
});

describe("lines", () => {
  it("run straight below the name, then curve to the host", () => {
    const curve = curveBetween({ x: 0, y: 0 }, { x: 200, y: 100 }, 100);
    expect(pointOn(curve, 0)).toEqual({ x: 0, y: 0 });
    expect(pointOn(curve, 0.4)).toEqual({ x: 80, y: 0 });
    expect(pointOn(curve, 0.75)).toEqual({ x: 150, y: 50 });
    expect(pointOn(curve, 1)).toEqual({ x: 200, y: 100 });
  });
});

describe("the viewpoint", () => {
  it("shows what was found beside the card, not behind it", () => {
    const model = modelOf({ mid1: wide(500) });
    const leaf = model.tree.find(["mid1", "h250"]) ?? -1;
    const viewpoint = new Viewpoint(model, AT_REST);
    viewpoint.resize(WINDOW);
    model.reveal(leaf);
    viewpoint.centre(leaf, 300);
    const { x, y } = viewpoint.placing.point(leaf);
    expect(x).toBeLessThan(700);
    expect(y).toBeCloseTo(400);
    viewpoint.fitTo(model.callPath, 300);
    expect(viewpoint.camera.scale).toBeGreaterThanOrEqual(0.8);
  });

  it("keeps a folded sub-overlord under the pointer, wherever it stood beside its minions", () => {
    const model = modelOf({ mid0: wide(500), mid1: wide(500), mid2: wide(500) });
    const mid1 = model.tree.find(["mid1"]) ?? -1;
    model.expandAll();
    const viewpoint = new Viewpoint(model, AT_REST);
    viewpoint.resize(WINDOW);
    viewpoint.move({ ...NEAR, y: -15_000 });
    const before = viewpoint.placing.point(mid1).y;
    viewpoint.keepInPlace(mid1, () => model.toggle(mid1));
    expect(viewpoint.placing.point(mid1).y).toBeCloseTo(before);
  });

  it("shows another map from its beginning where it has nothing at the chosen part", () => {
    const model = modelOf({ mid1: wide(500) });
    model.expandAll();
    const viewpoint = new Viewpoint(model, AT_REST);
    viewpoint.resize(WINDOW);
    viewpoint.move(NEAR);
    const grown = mapOf({ mid1: wide(600) });
    model.takeMap(2, grown);
    viewpoint.mapChanged();
    expect(viewpoint.camera).toEqual(NEAR);
    model.takeMap(3, mapOf({ mid2: wide(5) }));
    viewpoint.mapChanged();
    const { camera, kept } = viewpoint;
    const first = new Viewpoint(model, AT_REST);
    first.resize(WINDOW);
    expect(camera).toEqual(first.camera);
    expect(kept).toBeUndefined();
    // a reload of the page keeps the part, and may find another map
    const reloaded = new Viewpoint(model, AT_REST);
    reloaded.restore(NEAR);
    reloaded.mapChanged();
    reloaded.resize(WINDOW);
    expect(reloaded.camera).toEqual(first.camera);
  });

  it("glides from afar to near without leaving either", () => {
    const from = { x: 200, y: 10, scale: 0.01, across: 0.6 };
    const to = { x: -100, y: -30_000, scale: 1, across: 1 };
    expect(glideAt(from, to, WINDOW, 0)).toEqual(from);
    const end = glideAt(from, to, WINDOW, 1);
    expect([end.x, end.y, end.scale, end.across].map(Math.round)).toEqual([-100, -30_000, 1, 1]);
    // from where it is in the one view to where it is in the other, and nowhere else
    const point = { x: 0, y: 30_400 };
    expect([from, to].map((camera) => Math.round(toWindow(camera, point).y))).toEqual([314, 400]);
    for (const part of [0.2, 0.4, 0.6, 0.8]) {
      const at = toWindow(glideAt(from, to, WINDOW, part), point);
      expect(at.y).toBeGreaterThan(314);
      expect(at.y).toBeLessThan(400);
    }
  });

  it("goes on with a glide from where it leads to, and ends it when it is moved", () => {
    const model = modelOf({ mid1: wide(500) });
    model.expandAll();
    const viewpoint = new Viewpoint(model, { ...AT_REST, atRest: () => false });
    viewpoint.resize(WINDOW);
    const first = viewpoint.camera;
    viewpoint.zoom(2);
    viewpoint.zoom(2);
    expect(viewpoint.camera).toBe(first);
    expect(viewpoint.kept?.scale).toBeCloseTo(Math.min(2.5, first.scale * 4));
    viewpoint.step(performance.now() + 10_000);
    expect(viewpoint.isGliding).toBe(false);
    expect(viewpoint.camera).toEqual(viewpoint.kept);
    viewpoint.zoom(0.5);
    viewpoint.move(NEAR);
    expect(viewpoint.isGliding).toBe(false);
  });
});
