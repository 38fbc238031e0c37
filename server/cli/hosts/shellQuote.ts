import { FuncError } from "../../common/errors";

/** `text` as one word of a POSIX shell. */
export function quote(text: string): string {
  if (text.includes("\0")) throw new FuncError("bad-argument", "A text holds a NUL character.");
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
