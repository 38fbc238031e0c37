import type { LinesPiece } from "./pieces";

/** Puts something in front of each line of a text that comes in chunks, cut anywhere. */
export class LineIndenter {
  #atLineStart = true;
  #front: string;
  readonly #rest: string;
  readonly #bareWhereEmpty: boolean;
  readonly #inner: RegExp;

  constructor({
    first,
    rest,
    bareWhereEmpty,
  }: Pick<LinesPiece, "first" | "rest" | "bareWhereEmpty">) {
    this.#front = first;
    this.#rest = rest;
    this.#bareWhereEmpty = bareWhereEmpty;
    // a newline at the end of a chunk may be the last one: nothing comes after it until there is more
    this.#inner = bareWhereEmpty ? /\n(?=[^\n])/g : /\n(?=[^])/g;
  }

  /** The next chunk, as text or (one character a byte) latin1. */
  take(chunk: string): string {
    if (chunk === "") return "";
    const bare = this.#bareWhereEmpty && chunk.startsWith("\n");
    const front = this.#atLineStart && !bare ? this.#front : "";
    if (this.#atLineStart) this.#front = this.#rest;
    this.#atLineStart = chunk.endsWith("\n");
    return front + chunk.replace(this.#inner, `\n${this.#rest}`);
  }

  /** What ends the last line. */
  end(): string {
    return this.#atLineStart ? "" : "\n";
  }
}
