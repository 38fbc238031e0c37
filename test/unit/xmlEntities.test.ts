import fc from "fast-check";
import { expect, it } from "vitest";
import { resolveFive } from "../../server/wire/entityBytes";
import { escapeText } from "../../server/wire/escapeText";
import { resolveEntities } from "../../server/wire/xmlEntities";

const unescaped = (text: string): string =>
  text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'")
    .replaceAll("&amp;", "&");

const pieces = fc.constantFrom(
  ...["&lt;", "&gt;", "&amp;", "&quot;", "&apos;", "lt;", "amp;", ";", "a", "é", "日", "😀"],
);

it("the five entities are resolved as by replacing one after the other", () => {
  fc.assert(
    fc.property(fc.array(pieces), (parts) => {
      const text = parts.join("");
      expect(resolveFive(text)).toBe(unescaped(text));
    }),
  );
});

it.each(["&", "&&lt;", "&lt", "a&amp", "&LT;", "&nbsp;", "&amp&lt;", "&#10;", "&quota;", "&éé;"])(
  "%j is not resolved by guessing",
  (text) => {
    expect(resolveFive(text)).toBeUndefined();
  },
);

it("what is escaped here comes back, with characters of all planes beside references", () => {
  const refuse = (what: string): never => {
    throw new Error(what);
  };
  fc.assert(
    fc.property(fc.array(fc.oneof(pieces, fc.string({ unit: "binary" }))), (parts) => {
      const text = parts.join("");
      expect(resolveEntities(escapeText(text), refuse)).toBe(text);
    }),
  );
});
