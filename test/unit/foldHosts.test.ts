import fc from "fast-check";
import { expect, it } from "vitest";
import { hostRanges } from "../../media/results/hostRanges";
import { naturalKey } from "../../media/results/naturalKey";

function ranges(...names: string[]): string {
  return hostRanges(names, 10_000).text;
}

function numbered(prefix: string, from: number, to: number, width: number): string[] {
  return Array.from(
    { length: to - from + 1 },
    (_, at) => prefix + String(from + at).padStart(width, "0"),
  );
}

it("writes consecutive names as ranges", () => {
  const names = [...numbered("web-", 1, 214, 3), ...numbered("web-", 216, 371, 3), "edge-fra-3"];
  expect(ranges(...names)).toBe("web-[001-214,216-371], edge-fra-3");
});

it.each([
  [["a"], "a"],
  [["web1", "web2"], "web[1-2]"],
  [["web1", "web3"], "web[1,3]"],
  [["web8", "web9", "web10"], "web[8-10]"],
  [["web9", "web010"], "web[9,010]"],
  [["web099", "web100"], "web[099-100]"],
  [["a1.dc1", "a2.dc1", "a3.dc2"], "a[1-2].dc1, a3.dc2"],
  [["10.0.0.1", "10.0.0.2", "10.0.1.1"], "10.0.0.[1-2], 10.0.1.1"],
  [["a", "b"], "a, b"],
  [
    ["x99999999999999999998", "x99999999999999999999"],
    "x[99999999999999999998,99999999999999999999]",
  ],
])("writes %j as %s", (names, expected) => {
  expect(ranges(...names)).toBe(expected);
});

it("ends after enough text and says how many names are left", () => {
  const names = Array.from(
    { length: 50 },
    (_, at) => `${"abcdefghij".charAt(at % 10)}${at}x`,
  ).sort();
  const { text, rest } = hostRanges(names, 40);
  expect(text.length).toBeLessThan(80);
  expect(rest).toBeGreaterThan(20);
});

it("names every minion exactly once", () => {
  const name = fc.tuple(
    fc.constantFrom("a", "b-", "c.d"),
    fc.nat(30),
    fc.constantFrom("", ".x", "-1"),
  );
  fc.assert(
    fc.property(
      fc.uniqueArray(name.map(([head, number, tail]) => head + String(number) + tail)),
      (names) => {
        const sorted = names.toSorted((a, b) => (naturalKey(a) < naturalKey(b) ? -1 : 1));
        expect(expand(ranges(...sorted))).toEqual(sorted);
      },
    ),
  );
});

/** The names that the text stands for. */
function expand(text: string): string[] {
  if (text === "") return [];
  return text.split(", ").flatMap((part) => {
    const [, head, inner, tail] = /^(.*)\[(.*)\](.*)$/.exec(part) ?? [];
    if (inner === undefined) return [part];
    return inner.split(",").flatMap((range) => {
      const [from = "", to = from] = range.split("-");
      return numbered(head ?? "", Number(from), Number(to), 0).map((name) => name + (tail ?? ""));
    });
  });
}
