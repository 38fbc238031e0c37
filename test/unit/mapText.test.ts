import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LineCounter } from "yaml";
import type { MapNode } from "../../server/delegation/delegationMap";
import { formatMap, parseMap, readMap, type MapPlaces } from "../../server/delegation/mapText";

/** As `wire/map-original.yaml` of the original's own mapper has it. */
const ORIGINAL = `---
mid1:
    leaf1: {}
    leaf2: {}
mid2:
    leaf4: {}
    mid3:
        leaf3: {}
node01: {}
`;

const node = (name: string, ...children: MapNode[]): MapNode => ({ name, children });

const names = fc
  .string({ minLength: 1, maxLength: 12, unit: "grapheme" })
  .map((name) => name.trim())
  .filter((name) => name !== "" && !/\p{Cc}/u.test(name));

const mapsOf = fc.memo((depth): fc.Arbitrary<MapNode[]> => {
  const children = depth <= 1 ? fc.constant<MapNode[]>([]) : mapsOf(depth - 1);
  const host = fc.record({ name: names, children });
  return fc.uniqueArray(host, { maxLength: 3, selector: ({ name }) => name.toLowerCase() });
});

describe("the text of a map", () => {
  test("the original's is read, and written as the original does", () => {
    const map = parseMap(ORIGINAL, "map");
    expect(map).toEqual([
      node("mid1", node("leaf1"), node("leaf2")),
      node("mid2", node("leaf4"), node("mid3", node("leaf3"))),
      node("node01"),
    ]);
    expect(formatMap(map)).toBe(ORIGINAL);
  });

  test("names with spaces and capitals are those of the seed", () => {
    const text = "Minion 2:\n  Minion 3:\n    Minion 6: {}\n";
    expect(parseMap(text, "map")).toEqual([node("Minion 2", node("Minion 3", node("Minion 6")))]);
  });

  test("what is written plainly is read as YAML reads it", () => {
    const plain = fc.array(
      fc.tuple(
        fc.integer({ min: 0, max: 3 }),
        fc.constantFrom("a", "B", "b", '"1"', "x.y-z", "yes", '"a b"', "#"),
        fc.constantFrom(" {}", " {}", "", " ~", "  {}"),
      ),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(plain, (lines) => {
        const text = lines.map(([tier, name, end]) => `${"    ".repeat(tier)}${name}:${end}\n`);
        const read = (more: string): unknown => {
          try {
            return parseMap(`${text.join("")}${more}`, "map");
          } catch (error) {
            return String(error);
          }
        };
        expect(read("")).toEqual(read("# not as it is written here\n"));
      }),
    );
    const places: MapPlaces = new Map();
    const lines = new LineCounter();
    const { nodes } = readMap(formatMap([node("a", node("b"))]), 1, places, lines);
    const [place = -1] = (nodes[0]?.children ?? []).map((child) => places.get(child) ?? -1);
    expect(lines.linePos(place)).toEqual({ line: 3, col: 5 });
  });

  test("whatever is written is read again", () => {
    fc.assert(
      fc.property(mapsOf(4), (map) => {
        const text = formatMap(map);
        expect(formatMap(parseMap(text, "map"))).toBe(text);
      }),
    );
  });

  test("names that YAML would take for something else stay names", () => {
    const map = ["123", "1e3", "yes", "null", "~", "0x1f", "-", "a: b", "#x", "'", '"'].map(
      (name) => node(name),
    );
    const again = parseMap(formatMap(map), "map");
    expect(again.map(({ name }) => name).sort()).toEqual(map.map(({ name }) => name).sort());
  });

  test("an empty mapping is an empty map", () => {
    expect(parseMap("---\n{}\n", "map")).toEqual([]);
  });

  test.each([
    ["no text at all", "\u0000\u0001".repeat(5_000), /^map:\d+:\d+: [^\p{Cc}]{1,220}$/u],
    ["nothing", "", /^map:1:1: the map names no host/],
    ["only comments", "# none yet\n", /^map:1:1: the map names no host/],
    ["two documents", "a: {}\n---\nb: {}\n", /^map:2:1: /],
    ["a tag", "a: !!python/object:os.system {}\n", /^map:1:\d+: .*tag/i],
    ["an alias", "a: &x {b: {}}\nc: *x\n", /^map:2:4: an alias/],
    ["a merge key", "a: &x {b: {}}\nc:\n  <<: *x\n", /^map:3:\d+: an alias/],
    ["a name twice", "a: {}\nb: {}\nA: {}\n", /^map:3:1: "A" stands twice/],
    [
      "a host that was cut off",
      "mid1:\n    leaf1: {}\nmid2:",
      /^map:3:\d+: there has to be a mapping/,
    ],
    ["a list", "a:\n  - b\n", /^map:2:3: there has to be a mapping/],
    ["a text", "a: b\n", /^map:1:4: there has to be a mapping/],
    ["a text instead of the map", "hello", /^map:1:1: there has to be a mapping/],
    ["a key that is a mapping", "? {a: {}}\n: {}\n", /^map:1:3: the name of a host has to be text/],
    ["an empty name", '"": {}\n', /^map:1:1: the name of a host is missing/],
    ["a name with a line end", '"a\\nb": {}\n', /^map:1:1: this cannot be the name/],
    ["a bracket that is not closed", "a: {b: {}\n", /^map:\d+:\d+: /],
    ["a tab", "a:\n\tb: {}\n", /^map:2:\d+: /],
    ["a very deep one", `${"{a: ".repeat(100)}{}${"}".repeat(100)}`, /^map:1:\d+: .*more than 64/],
    ["a bottomless one", `${"{a: ".repeat(50_000)}{}${"}".repeat(50_000)}`, /deep|more than 64/],
  ])("%s is refused with its place", (_what, text, message) => {
    expect(() => parseMap(text, "map")).toThrow(message);
  });

  test("a file that was cut anywhere is refused, or has whole entries only", () => {
    const whole = new Set(["mid1", "leaf1", "leaf2", "mid2", "leaf4", "mid3", "leaf3", "node01"]);
    for (let length = 0; length < ORIGINAL.length; length++) {
      const text = ORIGINAL.slice(0, length);
      let map: MapNode[];
      try {
        map = parseMap(text, "map");
      } catch (error) {
        expect(String(error)).toMatch(/map:\d+:\d+: /);
        continue;
      }
      for (const { name } of map) expect(whole).toContain(name);
    }
  });

  test("damaged text never breaks the reader", () => {
    fc.assert(
      fc.property(fc.nat(ORIGINAL.length), fc.string({ maxLength: 6 }), (at, noise) => {
        const text = ORIGINAL.slice(0, at) + noise + ORIGINAL.slice(at + 1);
        try {
          parseMap(text, "map");
        } catch (error) {
          expect(String(error)).toMatch(/map/);
        }
      }),
      { numRuns: 500 },
    );
  });
});
