/** So many lines `jobs.tail_output` answers at most. */
export const TAIL_LINES = 50;

/** What one more look at the end of a log adds. */
export interface TailNews {
  fresh: string;
  /** False where lines may be missing, or stand twice. */
  exact: boolean;
}

/** Puts together a text of which each look shows only the last fifty lines. */
export class TailMerge {
  #last: string | undefined;
  #bytes: number;

  /** `known`: how many bytes of it were put together before. */
  constructor(known = 0) {
    this.#bytes = known;
  }

  /** Bytes put together so far. */
  get bytes(): number {
    return this.#bytes;
  }

  add(tail: string): TailNews {
    const news = lineCount(tail) < TAIL_LINES ? this.#whole(tail) : this.#overlapping(tail);
    this.#last = tail;
    this.#bytes += Buffer.byteLength(news.fresh);
    return news;
  }

  /** There are no other lines than these. */
  #whole(tail: string): TailNews {
    const bytes = Buffer.from(tail);
    return { fresh: bytes.toString("utf8", this.#bytes), exact: bytes.length >= this.#bytes };
  }

  #overlapping(tail: string): TailNews {
    const last = this.#last ?? "";
    const overlaps: string[] = [];
    for (let from = 0; from < last.length && overlaps.length < 2;) {
      if (tail.startsWith(last.slice(from))) overlaps.push(last.slice(from));
      const end = last.indexOf("\n", from);
      from = end < 0 ? last.length : end + 1;
    }
    const [most, other] = overlaps;
    if (most === undefined) return { fresh: tail, exact: false };
    // with lines that are alike, how many are new cannot be known; the beginning of one proves nothing
    const isOnly = other === undefined || (most.includes("\n") && !other.includes("\n"));
    return { fresh: tail.slice(most.length), exact: isOnly };
  }
}

function lineCount(text: string): number {
  let count = text.endsWith("\n") || text === "" ? 0 : 1;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count++;
  return count;
}
