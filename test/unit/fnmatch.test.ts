import fc from "fast-check";
import { expect, it } from "vitest";
import { fnmatch } from "../../server/targets/fnmatch";

it.each([
  ["*", "", true],
  ["*", "web1.example.org", true],
  ["web?", "web1", true],
  ["web?", "web", false],
  ["web", "web1", false],
  ["*web", "myweb1", false],
  ["WEB[0-9]", "web7", true],
  ["web[0-9]", "weba", false],
  ["web[!0-9]", "weba", true],
  ["web[!0-9]", "web7", false],
  ["node0[1_3]", "node03", true],
  ["[]a]", "]", true],
  ["[!]a]", "b", true],
  ["[a-]", "-", true],
  ["[z-a]", "m", false],
  ["web[1", "web[1", true],
  ["a.b", "axb", false],
  ["a*b*c", "a-b-b-c", true],
  ["a*b*c", "a-c-b", false],
])("%s on %s: %s", (pattern, name, expected) => {
  expect(fnmatch(pattern)(name)).toBe(expected);
});

it("agrees with a regular expression of the same meaning", () => {
  const char = fc.constantFrom("a", "b", "-", ".");
  const piece = fc.constantFrom("*", "?", "a", "b", ".", "-", "[ab]", "[!a]");
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 6 }),
      fc.array(char, { maxLength: 8 }),
      (pieces, name) => {
        const source = pieces
          .map((text) =>
            text.replace(/[.-]/, "\\$&").replace("*", ".*").replace("?", ".").replace("[!", "[^"),
          )
          .join("");
        const text = name.join("");
        expect(fnmatch(pieces.join(""))(text)).toBe(new RegExp(`^(?:${source})$`, "s").test(text));
      },
    ),
  );
});

it("needs no more than length times length steps", () => {
  const matches = fnmatch(`${"*a".repeat(400)}b`);
  expect(matches("a".repeat(5_000))).toBe(false);
});
