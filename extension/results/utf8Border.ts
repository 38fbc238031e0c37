/**
 * The last place at or before `at` that is not inside of a UTF-8 character; in bytes that are no UTF-8,
 * `at` itself. Needs the (up to three) bytes before `at` only.
 */
export function utf8Border(bytes: Uint8Array, at: number): number {
  for (let back = 1; back <= 3 && back <= at; back++) {
    const byte = bytes[at - back] ?? 0;
    if (byte >= 0x80 && byte < 0xc0) continue;
    return sequenceLength(byte) > back ? at - back : at;
  }
  return at;
}

/** Of the character that begins with `byte`. */
function sequenceLength(byte: number): number {
  if (byte >= 0xc2 && byte < 0xe0) return 2;
  if (byte >= 0xe0 && byte < 0xf0) return 3;
  return byte >= 0xf0 && byte < 0xf5 ? 4 : 1;
}
