import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { expect, it } from "vitest";
import { fnmatch, fnmatchCase } from "../../server/targets/fnmatch";

/** Reads [[pattern, name], ...] and writes what Python's fnmatch says of each. */
const SCRIPT = `
import fnmatch, json, sys
pairs = json.load(sys.stdin)
json.dump([fnmatch.fnmatchcase(name, pattern) for pattern, name in pairs], sys.stdout)
`;

const piece = fc.oneof(
  fc.constantFrom("*", "?", "[", "]", "!", "-", "^", "\\", ".", "a", "b", "Z", "0", "9", "[a-c]"),
  fc.constantFrom("[!a]", "[]]", "[!]a]", "[a-]", "[-a]", "[z-a]", "[!-]", "[[]", "[^a]", "[a\\]"),
  fc.constantFrom("[0-9a-f]", "[!0-9]", "[a-c-e]", "[--0]", "**", "é", "𝕏", "[é-ü]", "$", "(", "|"),
  fc.constantFrom("[A-Z]", "A", "É"),
);
const pattern = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(""));
const name = fc
  .array(fc.constantFrom(...Array.from("abczABZ09-.]![^\\éÉü𝕏$(|")), { maxLength: 6 })
  .map((chars) => chars.join(""));

function python(pairs: readonly (readonly [string, string])[]): boolean[] {
  const answer = spawnSync("python3", ["-c", SCRIPT], {
    input: JSON.stringify(pairs),
    maxBuffer: 64 * 1024 * 1024,
    encoding: "utf8",
  });
  expect(answer.stderr).toBe("");
  const expected = JSON.parse(answer.stdout) as boolean[];
  expect(expected.filter(Boolean).length).toBeGreaterThan(500);
  return expected;
}

it("means what Python's fnmatch means without case, as for targets", () => {
  const pairs = fc.sample(fc.tuple(pattern, name), 20_000);
  const expected = python(pairs.map(([glob, text]) => [glob.toLowerCase(), text.toLowerCase()]));
  const wrong = pairs.filter(([glob, text], at) => fnmatch(glob)(text) !== expected[at]);
  expect(wrong.slice(0, 10)).toEqual([]);
});

it("means what Python's fnmatchcase means, as for access rules", () => {
  const pairs = fc.sample(fc.tuple(pattern, name), 20_000);
  const expected = python(pairs);
  const wrong = pairs.filter(([glob, text], at) => fnmatchCase(glob)(text) !== expected[at]);
  expect(wrong.slice(0, 10)).toEqual([]);
});
