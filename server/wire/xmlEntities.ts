import { isXmlCharacter } from "./xmlCharacters";

const BEYOND_THE_FIVE = /&(?!(?:amp|lt|gt|quot|apos);)/;
const REFERENCE = /&(?:#x0*([0-9a-fA-F]{1,6})|#0*([0-9]{1,7})|(amp|lt|gt|quot|apos));|&/g;
const NAMED: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
};

/**
 * Resolves the five entities of XML and character references. Calls `fail` with what is wrong and
 * the index in `text` where anything else follows an ampersand.
 */
export function resolveEntities(text: string, fail: (what: string, at: number) => never): string {
  if (!text.includes("&")) return text;
  if (!BEYOND_THE_FIVE.test(text)) {
    // several times faster than a callback for each; "&amp;" last, or "&amp;lt;" would turn into "<"
    return text
      .replaceAll("&lt;", "<")
      .replaceAll("&gt;", ">")
      .replaceAll("&quot;", '"')
      .replaceAll("&apos;", "'")
      .replaceAll("&amp;", "&");
  }
  return text.replace(
    REFERENCE,
    (
      whole: string,
      hex: string | undefined,
      decimal: string | undefined,
      name: string | undefined,
      at: number,
    ): string => {
      if (name !== undefined) return NAMED[name] ?? whole;
      const code =
        hex !== undefined ? parseInt(hex, 16) : decimal !== undefined ? parseInt(decimal, 10) : NaN;
      if (Number.isNaN(code)) return fail("an entity that is not one of the five of XML", at);
      if (!isXmlCharacter(code)) return fail("a reference to a character that XML forbids", at);
      return String.fromCodePoint(code);
    },
  );
}
