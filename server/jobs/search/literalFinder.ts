/** Where in a text something was found, by characters. */
export interface Found {
  index: number;
  length: number;
}

const BEFORE_LENGTH = 60;
const LINE_LENGTH = 200;

/** Finds a literal text, upper and lower case alike unless `matchCase`. */
export class LiteralFinder {
  private readonly wanted: string;
  private readonly inJson: string;

  constructor(
    text: string,
    private readonly matchCase: boolean,
  ) {
    this.wanted = matchCase ? text : fold(text);
    this.inJson = JSON.stringify(this.wanted).slice(1, -1);
  }

  /** The most bytes of UTF-8 that a match can have. */
  get maxBytes(): number {
    return this.inJson.length * 3;
  }

  /** `json`: the text is JSON, in which some characters are escaped. */
  find(text: string, json = false): Found | undefined {
    const wanted = json ? this.inJson : this.wanted;
    const index = (this.matchCase ? text : fold(text)).indexOf(wanted);
    return index === -1 ? undefined : { index, length: wanted.length };
  }
}

/** The line that the match begins in, cut around it to at most 200 characters, without control characters. */
export function lineAround(text: string, { index, length }: Found): string {
  const before = text.slice(Math.max(0, index - LINE_LENGTH), index);
  const lineStart = index - before.length + startOfLastLine(before);
  const fits = index + length - lineStart <= LINE_LENGTH;
  const from = fits ? lineStart : Math.max(lineStart, index - BEFORE_LENGTH);
  const after = text.slice(index, from + LINE_LENGTH);
  const line = text.slice(from, index) + after.slice(0, endOfLine(after));
  return line.replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/gu, " ").trim();
}

function startOfLastLine(text: string): number {
  return Math.max(text.lastIndexOf("\n"), text.lastIndexOf("\r")) + 1;
}

function endOfLine(text: string): number {
  const end = text.search(/[\r\n]/);
  return end === -1 ? text.length : end;
}

/**
 * Lower case, letter by letter, so that positions and pieces of a text stay what they are: no letter
 * becomes two, and a sigma is the same at the end of a word.
 */
function fold(text: string): string {
  return text.replaceAll("\u0130", "i").toLowerCase().replaceAll("\u03c2", "\u03c3");
}
