import { resolveFive } from "./entityBytes";
import { isXmlCharacter } from "./xmlCharacters";

const NAMED: readonly (readonly [reference: string, character: string])[] = [
  ["&amp;", "&"],
  ["&lt;", "<"],
  ["&gt;", ">"],
  ["&quot;", '"'],
  ["&apos;", "'"],
];
const NO_ENTITY = "an entity that is not one of the five of XML";
const HASH = 0x23;
const SMALL_X = 0x78;
const SEMICOLON = 0x3b;
const BEYOND_UNICODE = 0x110000;

/**
 * Resolves the five entities of XML and character references. Calls `fail` with what is wrong and
 * the index in `text` where anything else follows an ampersand.
 */
export function resolveEntities(text: string, fail: (what: string, at: number) => never): string {
  if (!text.includes("&")) return text;
  const usual = resolveFive(text);
  if (usual !== undefined) return usual;
  let resolved = "";
  let from = 0;
  for (let at = text.indexOf("&"); at >= 0; at = text.indexOf("&", from)) {
    if (at > from) resolved += text.slice(from, at);
    if (text.charCodeAt(at + 1) === HASH) {
      const { code, end } = numeric(text, at + 2);
      if (end < 0) return fail(NO_ENTITY, at);
      if (!isXmlCharacter(code)) return fail("a reference to a character that XML forbids", at);
      resolved += String.fromCodePoint(code);
      from = end;
    } else {
      const named = NAMED.find(([reference]) => text.startsWith(reference, at));
      if (!named) return fail(NO_ENTITY, at);
      resolved += named[1];
      from = at + named[0].length;
    }
  }
  return resolved + text.slice(from);
}

/** The number behind "&#" and where its reference ends: -1 where it is none. */
function numeric(text: string, from: number): { code: number; end: number } {
  const isHex = text.charCodeAt(from) === SMALL_X;
  const base = isHex ? 16 : 10;
  const first = isHex ? from + 1 : from;
  let code = 0;
  let at = first;
  for (; ; at++) {
    const digit = digitOf(text.charCodeAt(at));
    if (digit >= base) break;
    code = Math.min(code * base + digit, BEYOND_UNICODE);
  }
  return { code, end: at > first && text.charCodeAt(at) === SEMICOLON ? at + 1 : -1 };
}

function digitOf(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : Infinity;
}
