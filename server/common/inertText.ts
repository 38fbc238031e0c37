/**
 * `text` without anything that a terminal obeys: control characters but newline and tab, and the
 * marks that reorder text, are shown as their codes. Hosts' output is untrusted.
 */
export function inertText(text: string): string {
  return text.replace(ACTIVE, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x100
      ? `\\x${code.toString(16).padStart(2, "0")}`
      : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

// written as ranges with their reasons: a literal class of control characters tells nobody anything
const RANGES = [
  "\\u0000-\\u0008", // C0 up to tab
  "\\u000b-\\u001f", // C0 after newline, escape among them
  "\\u007f-\\u009f", // delete and C1, where 0x9b alone starts a sequence
  "\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069", // direction marks and overrides
  "\\u2028\\u2029", // line and paragraph separators
];
const ACTIVE = new RegExp(`[${RANGES.join("")}]`, "g");
