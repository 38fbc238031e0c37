import { encodeResponse } from "../../server/wire/encode";
import type { XmlRpcValue } from "../../server/wire/value";

const KILOBYTE = 1_024;

/** What the codecs are compared on: answers of minions, by name. */
export const CODEC_VALUES: Readonly<Record<string, XmlRpcValue>> = {
  "command.run, 2 KB": [0, lines(2 * KILOBYTE, "drwxr-xr-x 2 root root 4096 Nov 22 05:11 dev"), ""],
  "1 MB, nothing escaped": [
    0,
    lines(1_024 * KILOBYTE, "The quick brown fox jumps over the lazy dog"),
    "",
  ],
  "1 MB, 1 in 4 characters escaped": [0, lines(1_024 * KILOBYTE, "<a> & <b> > c&d <e> f"), ""],
  "struct of 10,000 members": Object.fromEntries(
    Array.from({ length: 10_000 }, (_, index) => [`key${index}`, `value ${index}`]),
  ),
};

export function codecDocument(name: string): Buffer {
  return encodeResponse(CODEC_VALUES[name] ?? null);
}

function lines(bytes: number, line: string): string {
  return `${line}\n`.repeat(Math.ceil(bytes / (line.length + 1))).slice(0, bytes);
}
