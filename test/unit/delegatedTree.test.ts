import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CallPaths } from "../../server/delegation/callPaths";
import { MAX_MAP_DEPTH, walkMap, type MapNode } from "../../server/delegation/delegationMap";
import { groupPaths } from "../../server/delegation/groupPaths";

const NAMES = Array.from({ length: 40 }, (_, index) => `host${index}`);

/** Edges by number: trees, diamonds, cycles and names at many places. */
const graphs = fc.array(fc.tuple(fc.nat(39), fc.nat(39)), { maxLength: 120 });
const firsts = fc.uniqueArray(fc.nat(39), { minLength: 1, maxLength: 6 });

/** A map as a walk through the graph writes it down: cycles end where the way would go in a circle. */
function mapOf(edges: readonly [number, number][], first: readonly number[]): MapNode[] {
  let nodes = 0;
  const node = (at: number, above: readonly number[]): MapNode => {
    nodes++;
    const next = new Set(edges.filter(([from]) => from === at).map(([, to]) => to));
    const children =
      above.length >= MAX_MAP_DEPTH || nodes > 3_000
        ? []
        : [...next].filter((to) => !above.includes(to)).map((to) => node(to, [...above, to]));
    return { name: NAMES[at] ?? "", children };
  };
  return first.map((at) => node(at, [at]));
}

/** All hosts that stand anywhere in the map. */
function everyone(map: readonly MapNode[]): Set<string> {
  return new Set([...walkMap(map)].map(({ node }) => node.name));
}

/** What a call does that goes from hop to hop: who is called, and by how many starts at each hop. */
function run(paths: readonly string[][], knows: (hop: string, host: string) => boolean) {
  const called: string[] = [];
  let starts = 0;
  let level = [{ hop: "", paths: [...paths] }];
  while (level.length > 0) {
    level = level.flatMap(({ hop, paths: here }) => {
      const { direct, behind } = groupPaths(here);
      for (const name of [...direct, ...behind.keys()]) expect(knows(hop, name)).toBe(true);
      called.push(...direct);
      starts += behind.size;
      return [...behind].map(([next, rest]) => ({ hop: next, paths: rest }));
    });
  }
  return { called, starts };
}

/** Whether the map has a host directly below another one; the top is "". */
function knowing(map: readonly MapNode[]) {
  const pairs = new Set(map.map(({ name }) => ` ${name}`));
  for (const { node } of walkMap(map)) {
    for (const { name } of node.children) pairs.add(`${node.name} ${name}`);
  }
  return (hop: string, host: string): boolean => pairs.has(`${hop} ${host}`);
}

describe("a delegated call", () => {
  test("calls exactly those that are meant, each once, whatever the map looks like", () => {
    fc.assert(
      fc.property(graphs, firsts, fc.func(fc.boolean()), (edges, first, isMeant) => {
        const map = mapOf(edges, first);
        const paths = new CallPaths(map);
        const all = everyone(map);
        expect(new Set(paths.names())).toEqual(all);
        const meant = [...all].filter((name) => isMeant(name));
        const wanted = meant.map((name) => paths.pathTo(name) ?? []);
        const { called } = run(wanted, knowing(map));
        expect([...called].sort()).toEqual([...meant].sort());
      }),
      { numRuns: 300 },
    );
  });

  test("does so 50 hops deep and 5,000 hosts wide, with one start for each hop", () => {
    const wide = Array.from({ length: 5_000 }, (_, index) => ({
      name: `leaf${index}`,
      children: [],
    }));
    let map: MapNode[] = wide;
    for (let depth = 50; depth > 0; depth--) map = [{ name: `mid${depth}`, children: map }];
    const paths = new CallPaths(map);
    const wanted = wide.map(({ name }) => paths.pathTo(name) ?? []);
    expect(wanted[0]).toHaveLength(51);
    const { called, starts } = run(wanted, knowing(map));
    expect(new Set(called).size).toBe(5_000);
    expect(called).toHaveLength(5_000);
    expect(starts).toBe(50);
  });
});
