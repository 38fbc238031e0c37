import type { Random } from "./random";

/** Values at which counters, lengths and characters go wrong. */
const BYTES = [0, 1, 0x09, 0x0a, 0x0d, 0x1f, 0x20, 0x22, 0x26, 0x2d, 0x3b, 0x3c, 0x3e, 0x5d, 0x7f, 0x80, 0xc0, 0xed, 0xef, 0xf4, 0xfe, 0xff]; // prettier-ignore

/** `input` with some damage: bytes changed, left out, doubled, moved, and words of `dictionary` put in. */
export function mutate(random: Random, input: Buffer, dictionary: readonly string[]): Buffer {
  let bytes = input;
  for (let left = 1 + random.below(4); left > 0; left--) {
    const at = random.below(bytes.length + 1);
    const length = random.below(Math.min(40, bytes.length - at + 1));
    bytes = mutateAt(random, bytes, at, length, dictionary);
  }
  return bytes;
}

function mutateAt(
  random: Random,
  bytes: Buffer,
  at: number,
  length: number,
  dictionary: readonly string[],
): Buffer {
  const before = bytes.subarray(0, at);
  const part = bytes.subarray(at, at + length);
  const after = bytes.subarray(at + length);
  switch (random.below(7)) {
    case 0:
      return Buffer.concat([before, Buffer.from([random.pick(BYTES)]), after]);
    case 1:
      return Buffer.concat([before, after]);
    case 2:
      return Buffer.concat([
        before,
        ...Array.from({ length: 1 + random.below(20) }, () => part),
        after,
      ]);
    case 3:
      return Buffer.concat([before, Buffer.from(random.pick(dictionary)), part, after]);
    case 4: {
      const to = random.below(after.length + 1);
      return Buffer.concat([before, after.subarray(0, to), part, after.subarray(to)]);
    }
    case 5: {
      const flipped = Buffer.from(bytes);
      const place = random.below(Math.max(1, flipped.length));
      if (flipped.length > 0) flipped[place] = (flipped[place] ?? 0) ^ (1 << random.below(8));
      return flipped;
    }
    default:
      return random.chance(0.2)
        ? before
        : Buffer.concat([before, random.bytes(random.below(5)), after]);
  }
}

/** `bytes` in pieces, cut anywhere. */
export function cutInPieces(random: Random, bytes: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  const most = random.pick([1, 2, 7, 60, 1_000, 100_000]);
  for (let at = 0; at < bytes.length;) {
    const length = 1 + random.below(most);
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}
