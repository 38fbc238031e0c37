/** A part of bytes that is UTF-8 as a whole, or none of it. */
export interface Utf8Run {
  valid: boolean;
  start: number;
  end: number;
}

/**
 * All of `bytes` as runs, but for a character that may only be cut by their end. One byte at a time is no
 * UTF-8: what follows it may be.
 */
export function* utf8Runs(bytes: Uint8Array): Generator<Utf8Run, void, undefined> {
  let start = 0;
  let valid = true;
  let at = 0;
  while (at < bytes.length) {
    const length = characterLength(bytes, at);
    if (length === "cut") break;
    if (valid !== length > 0) {
      if (at > start) yield { valid, start, end: at };
      start = at;
      valid = length > 0;
    }
    at += Math.max(1, length);
  }
  if (at > start) yield { valid, start, end: at };
}

/** Bytes of the character that begins there; 0 where none does, "cut" where more bytes could make one. */
function characterLength(bytes: Uint8Array, at: number): number | "cut" {
  const lead = bytes[at] ?? 0;
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  for (let index = 1; index < length; index++) {
    const byte = bytes[at + index];
    if (byte === undefined) return "cut";
    const [least, most] = index === 1 ? secondByte(lead) : [0x80, 0xbf];
    if (byte < least || byte > most) return 0;
  }
  return length;
}

/** Overlong forms, surrogates and what is beyond the last code point show in the second byte. */
function secondByte(lead: number): readonly [number, number] {
  switch (lead) {
    case 0xe0:
      return [0xa0, 0xbf];
    case 0xed:
      return [0x80, 0x9f];
    case 0xf0:
      return [0x90, 0xbf];
    case 0xf4:
      return [0x80, 0x8f];
    default:
      return [0x80, 0xbf];
  }
}
