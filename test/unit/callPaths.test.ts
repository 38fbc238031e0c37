import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CallPaths } from "../../server/delegation/callPaths";
import type { MapNode } from "../../server/delegation/delegationMap";
import { groupPaths } from "../../server/delegation/groupPaths";
import { parseMap } from "../../server/delegation/mapText";
import { mapChanges, mergeMaps } from "../../server/delegation/mergeMaps";

const pathsOf = (text: string): CallPaths => new CallPaths(parseMap(text, "map"));

const NAMES = ["a", "b", "c", "d", "e", "f", "g", "h"];

/** Trees, diamonds and cycles: few names at many places. */
const mapsOf = fc.memo((depth): fc.Arbitrary<MapNode[]> => {
  const children = depth <= 1 ? fc.constant<MapNode[]>([]) : mapsOf(depth - 1);
  const node = fc.record({ name: fc.constantFrom(...NAMES), children });
  return fc.uniqueArray(node, { maxLength: 3, selector: ({ name }) => name });
});
const graphs = mapsOf(5);

/** Which host knows which, by name; "" is the top. */
function edgesOf(map: readonly MapNode[]): Map<string, Set<string>> {
  const edges = new Map<string, Set<string>>();
  const visit = (above: string, nodes: readonly MapNode[]): void => {
    for (const { name, children } of nodes) {
      edges.set(above, (edges.get(above) ?? new Set()).add(name));
      visit(name, children);
    }
  };
  visit("", map);
  return edges;
}

/** The length of the shortest of all ways without a circle, by trying them all. */
function shortestByTrying(edges: Map<string, Set<string>>, target: string): number | undefined {
  let best: number | undefined;
  const walk = (at: string, seen: ReadonlySet<string>, length: number): void => {
    if (at === target) best = Math.min(best ?? length, length);
    for (const next of edges.get(at) ?? []) {
      if (!seen.has(next)) walk(next, new Set(seen).add(next), length + 1);
    }
  };
  walk("", new Set([""]), 0);
  return best;
}

describe("call paths", () => {
  test("the seed's Minion 6 is reached over Minion 2 and Minion 3", () => {
    const paths = pathsOf("Minion 1: {}\nMinion 2:\n  Minion 3:\n    Minion 6: {}\n");
    expect(paths.pathTo("Minion 6")).toEqual(["Minion 2", "Minion 3", "Minion 6"]);
    expect(paths.pathTo("minion 6")).toEqual(["Minion 2", "Minion 3", "Minion 6"]);
    expect(paths.pathTo("Minion 7")).toBeUndefined();
  });

  test("a diamond has one path, not a mixture of both", () => {
    const paths = pathsOf("a:\n  b:\n    x: {}\n  c:\n    x: {}\n");
    expect(paths.pathTo("x")).toEqual(["a", "b", "x"]);
  });

  test("a prefix of a name is another host", () => {
    const paths = pathsOf("web10:\n  web1: {}\n");
    expect(paths.pathTo("web1")).toEqual(["web10", "web1"]);
  });

  test("two overlords that list each other are no circle", () => {
    const paths = pathsOf("a:\n  b:\n    a:\n      b: {}\n    x: {}\n");
    expect(paths.pathTo("b")).toEqual(["a", "b"]);
    expect(paths.pathTo("x")).toEqual(["a", "b", "x"]);
    expect(paths.names()).toEqual(["a", "b", "x"]);
  });

  test("of all ways the shortest is taken, also over another place of the same host", () => {
    fc.assert(
      fc.property(graphs, (map) => {
        const paths = new CallPaths(map);
        const edges = edgesOf(map);
        for (const name of NAMES) {
          const path = paths.pathTo(name);
          expect(path?.length).toBe(shortestByTrying(edges, name));
          expect(paths.has(name)).toBe(path !== undefined);
          // each step is one that the map has
          path?.forEach((hop, index) => {
            expect(edges.get(path[index - 1] ?? "")).toContain(hop);
          });
          expect(path?.at(-1) ?? name).toBe(name);
        }
      }),
    );
  });

  test("the same map gives the same paths, whatever else was asked before", () => {
    fc.assert(
      fc.property(graphs, (map) => {
        const ask = (): unknown => {
          const paths = new CallPaths(map);
          return paths.names().map((name) => paths.pathTo(name));
        };
        expect(ask()).toEqual(ask());
      }),
    );
  });

  test("a host with another identity is another target, and the bare name an error that names both", () => {
    const map = parseMap("mid1:\n  web1: {}\nmid2:\n  web1: {}\n  web2: {}\n", "map");
    const identities = new Map([
      ["mid1/web1", "11"],
      ["mid2/web1", "22"],
    ]);
    const paths = new CallPaths(map, (path) => identities.get(path.join("/")));
    expect(() => paths.pathTo("web1")).toThrow(/web1@mid1 and web1@mid2/);
    expect(paths.pathTo("web1@mid2")).toEqual(["mid2", "web1"]);
    expect(paths.pathTo("WEB1@MID1")).toEqual(["mid1", "web1"]);
    expect(paths.pathTo("web2")).toEqual(["mid2", "web2"]);
    expect(paths.names()).toEqual(["mid1", "mid2", "web1@mid1", "web1@mid2", "web2"]);
  });

  test("the same identity at two places is one host", () => {
    const map = parseMap("mid1:\n  mid3:\n    web1: {}\nmid2:\n  web1: {}\n", "map");
    const paths = new CallPaths(map, (path) => path.at(-1));
    expect(paths.pathTo("web1")).toEqual(["mid2", "web1"]);
    expect(paths.names()).toHaveLength(4);
  });

  test("a place whose identity nobody has seen is no other host, as long as only one is known", () => {
    const map = parseMap("mid1:\n  web1: {}\nmid2:\n  web1: {}\nmid3:\n  web1: {}\n", "map");
    const seen = (identities: Record<string, string>) =>
      new CallPaths(map, (path) => identities[path.join("/")]);
    expect(seen({ "mid2/web1": "22" }).pathTo("web1")).toEqual(["mid1", "web1"]);
    const two = seen({ "mid2/web1": "22", "mid3/web1": "33" });
    expect(() => two.pathTo("web1")).toThrow(/3 different hosts/);
    expect(two.pathTo("web1@mid1")).toEqual(["mid1", "web1"]);
  });

  test("a hundred thousand hosts, fifty deep and five thousand wide", () => {
    const chain = (depth: number, children: MapNode[]): MapNode[] =>
      depth === 0 ? children : [{ name: `hop${depth}`, children: chain(depth - 1, children) }];
    const wide = Array.from({ length: 5_000 }, (_, index) => ({ name: `w${index}`, children: [] }));
    const many = Array.from({ length: 20 }, (_, overlord) => ({
      name: `mid${overlord}`,
      children: Array.from({ length: 4_750 }, (_, index) => ({
        name: `m${overlord}-${index}`,
        children: [],
      })),
    }));
    const paths = new CallPaths([...chain(50, wide), ...many]);
    expect(paths.names()).toHaveLength(100_000 + 70);
    expect(paths.pathTo("w4999")).toHaveLength(51);
    expect(paths.pathTo("m19-4749")).toEqual(["mid19", "m19-4749"]);
  });
});

describe("paths by next hop", () => {
  test("the seed's example", () => {
    const { direct, behind } = groupPaths([
      ["Minion 1", "Minion 5", "Minion 4", "Minion 8", "Minion 9"],
      ["Minion 1", "Minion 3", "Minion 2"],
      ["Minion 6", "Minion 11"],
      ["Minion 10", "Minion 7"],
      ["Minion 12"],
    ]);
    expect(direct).toEqual(["Minion 12"]);
    expect(Object.fromEntries(behind)).toEqual({
      "Minion 1": [
        ["Minion 5", "Minion 4", "Minion 8", "Minion 9"],
        ["Minion 3", "Minion 2"],
      ],
      "Minion 6": [["Minion 11"]],
      "Minion 10": [["Minion 7"]],
    });
  });

  test("paths over one hop belong together wherever they stand", () => {
    const { direct, behind } = groupPaths([["A", "1"], ["B", "2"], ["A", "3"], ["C"]]);
    expect(direct).toEqual(["C"]);
    expect(Object.fromEntries(behind)).toEqual({ A: [["1"], ["3"]], B: [["2"]] });
  });

  test("no path is lost, and none comes twice", () => {
    const path = fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(path), (paths) => {
        const { direct, behind } = groupPaths(paths);
        const again = [
          ...direct.map((name) => [name]),
          ...[...behind].flatMap(([hop, rests]) => rests.map((rest) => [hop, ...rest])),
        ];
        const texts = (all: string[][]): string[] => all.map((one) => one.join("/")).sort();
        expect(texts(again)).toEqual(texts(paths));
      }),
    );
  });
});

describe("maps that are put together", () => {
  const edges = (map: readonly MapNode[]): Set<string> => {
    const found = new Set<string>();
    const visit = (above: string, nodes: readonly MapNode[]): void => {
      for (const { name, children } of nodes) {
        found.add(`${above}/${name}`);
        visit(`${above}/${name}`, children);
      }
    };
    visit("", map);
    return found;
  };

  test("have all that either has, to every depth, once", () => {
    fc.assert(
      fc.property(graphs, graphs, (before, added) => {
        const merged = mergeMaps(before, added);
        expect(edges(merged)).toEqual(new Set([...edges(before), ...edges(added)]));
        expect(mergeMaps(merged, added)).toEqual(merged);
      }),
    );
  });

  test("what changed is told from the top, without what is below it", () => {
    const before = parseMap("a:\n  b:\n    c: {}\nd: {}\n", "map");
    const after = parseMap("a:\n  e:\n    f: {}\nd: {}\n", "map");
    expect(mapChanges(before, after)).toEqual({ added: [["a", "e"]], removed: [["a", "b"]] });
    expect(mapChanges(before, before)).toEqual({ added: [], removed: [] });
  });
});
