/** Any character that XML 1.0 cannot carry, not even as a reference (lone surrogates aside). */
export const FORBIDDEN_CHARACTER = /[^\t\n\r\x20-\ufffd]/;

/** As FORBIDDEN_CHARACTER, and surrogates without their other half: for text that did not come from UTF-8. */
export const UNCARRIABLE_TEXT =
  /[^\t\n\r\x20-\ufffd]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** True where `codePoint` is a character of XML 1.0. */
export function isXmlCharacter(codePoint: number): boolean {
  if (codePoint < 0x20) return codePoint === 0x9 || codePoint === 0xa || codePoint === 0xd;
  if (codePoint < 0xd800) return true;
  if (codePoint < 0xe000 || codePoint === 0xfffe || codePoint === 0xffff) return false;
  return codePoint <= 0x10ffff;
}

/** True for the four white-space characters of XML. */
export function isXmlSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

/** True where `text` is empty or only XML white space. */
export function isBlank(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (!isXmlSpace(text.charCodeAt(at))) return false;
  return true;
}

/** `text` without the XML white space at its ends (`trim()` would also take no-break spaces and more). */
export function trimXmlSpace(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isXmlSpace(text.charCodeAt(from))) from++;
  while (to > from && isXmlSpace(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}
