/** Pieces of a text of at most `most` characters; never half of a character. */
export function* textSlices(text: string, most = 65_536): Generator<string> {
  for (let at = 0; at < text.length;) {
    const end = at + headLength(text, at, most);
    yield text.slice(at, end);
    at = end;
  }
}

/** How a text begins: at most `most` characters, never half of one. */
export function headOf(text: string, most: number): string {
  return text.length <= most ? text : text.slice(0, headLength(text, 0, most));
}

function headLength(text: string, from: number, most: number): number {
  const last = text.charCodeAt(from + most - 1);
  const splits = from + most < text.length && last >= 0xd800 && last < 0xdc00 && most > 1;
  return splits ? most - 1 : most;
}
