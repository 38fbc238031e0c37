import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { expect, it } from "vitest";
import { fnmatch } from "../../server/targets/fnmatch";

/** Reads [[pattern, name], ...] and writes what Python's fnmatch says of each, without case. */
const SCRIPT = `
import fnmatch, json, sys
pairs = json.load(sys.stdin)
json.dump([fnmatch.fnmatchcase(name.lower(), pattern.lower()) for pattern, name in pairs], sys.stdout)
`;

const piece = fc.oneof(
  fc.constantFrom("*", "?", "[", "]", "!", "-", "^", "\\", ".", "a", "b", "Z", "0", "9", "[a-c]"),
  fc.constantFrom("[!a]", "[]]", "[!]a]", "[a-]", "[-a]", "[z-a]", "[!-]", "[[]", "[^a]", "[a\\]"),
  fc.constantFrom("[0-9a-f]", "[!0-9]", "[a-c-e]", "[--0]", "**", "é", "𝕏", "[é-ü]", "$", "(", "|"),
);
const pattern = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(""));
const name = fc
  .array(fc.constantFrom(...Array.from("abcz09-.]![^\\éü𝕏$(|")), { maxLength: 6 })
  .map((chars) => chars.join(""));

it("means what Python's fnmatch means", () => {
  const pairs = fc.sample(fc.tuple(pattern, name), 20_000);
  const python = spawnSync("python3", ["-c", SCRIPT], {
    input: JSON.stringify(pairs),
    maxBuffer: 64 * 1024 * 1024,
    encoding: "utf8",
  });
  expect(python.stderr).toBe("");
  const expected = JSON.parse(python.stdout) as boolean[];
  expect(expected.filter(Boolean).length).toBeGreaterThan(500);
  const wrong = pairs.filter(([glob, text], at) => fnmatch(glob)(text) !== expected[at]);
  expect(wrong.slice(0, 10)).toEqual([]);
});
