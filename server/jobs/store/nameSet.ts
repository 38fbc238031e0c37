/** Numbers of names as bytes: sorted, each as its distance from the one before, in groups of 7 bits. */
export function packNumbers(numbers: readonly number[]): Uint8Array {
  const bytes: number[] = [];
  let before = 0;
  for (const number of numbers.toSorted((one, other) => one - other)) {
    let distance = number - before;
    before = number;
    for (; distance > 0x7f; distance >>>= 7) bytes.push((distance & 0x7f) | 0x80);
    bytes.push(distance);
  }
  return Uint8Array.from(bytes);
}

/** True where any of the packed numbers is in the set. */
export function hasAny(packed: Uint8Array, wanted: ReadonlySet<number>): boolean {
  let number = 0;
  let distance = 0;
  let shift = 0;
  for (const byte of packed) {
    distance |= (byte & 0x7f) << shift;
    shift += 7;
    if (byte & 0x80) continue;
    number += distance;
    if (wanted.has(number)) return true;
    distance = 0;
    shift = 0;
  }
  return false;
}
