/** One place of a pattern: any text, any character, one of (or none of) some ranges, or itself. */
type Token =
  | { kind: "star" }
  | { kind: "any" }
  | { kind: "set"; negated: boolean; ranges: [string, string][] }
  | { kind: "char"; char: string };

const ASCII = /^[ -~]*$/;

/**
 * Compiles a shell pattern (`*`, `?`, `[seq]`, `[!seq]`) into a test of whole names, without case.
 * Takes at most pattern length times name length steps, whatever the pattern.
 */
export function fnmatch(pattern: string): (name: string) => boolean {
  const matcher = fnmatchCase(pattern.toLowerCase());
  return (name) => matcher(name.toLowerCase());
}

/** Like `fnmatch`, with upper and lower case being different. */
export function fnmatchCase(pattern: string): (name: string) => boolean {
  const tokens = tokenize([...pattern]);
  const star = tokens.findIndex(({ kind }) => kind !== "char");
  if (
    tokens[star]?.kind === "star" &&
    tokens.slice(star + 1).every(({ kind }) => kind === "char")
  ) {
    return betweenTexts(textOf(tokens.slice(0, star)), textOf(tokens.slice(star + 1)));
  }
  // taking apart is what costs most, and only text beyond ASCII needs it
  return (name) => matches(tokens, ASCII.test(name) ? name : [...name]);
}

/** The usual pattern with one star ("web*", "*.org", "*"), which fleets of any size are matched with. */
function betweenTexts(start: string, end: string): (name: string) => boolean {
  const least = start.length + end.length;
  return (name) => name.length >= least && name.startsWith(start) && name.endsWith(end);
}

function textOf(tokens: readonly Token[]): string {
  return tokens.map((token) => (token.kind === "char" ? token.char : "")).join("");
}

/** True where the text has a character with a meaning in patterns. */
export function isPattern(text: string): boolean {
  return /[*?[]/.test(text);
}

function tokenize(chars: string[]): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at] ?? "";
    if (char === "*") {
      if (tokens.at(-1)?.kind !== "star") tokens.push({ kind: "star" });
    } else if (char === "?") {
      tokens.push({ kind: "any" });
    } else if (char === "[") {
      const end = endOfSet(chars, at);
      // without its closing bracket it stands for itself
      if (end === -1) tokens.push({ kind: "char", char });
      else {
        tokens.push(setOf(chars.slice(at + 1, end)));
        at = end;
      }
    } else {
      tokens.push({ kind: "char", char });
    }
  }
  return tokens;
}

/** A "]" right after "[" or "[!" belongs to the set. */
function endOfSet(chars: string[], start: number): number {
  const first = chars[start + 1] === "!" ? start + 2 : start + 1;
  return chars.indexOf("]", first + 1);
}

function setOf(chars: string[]): Token {
  const negated = chars[0] === "!";
  const members = negated ? chars.slice(1) : chars;
  const ranges: [string, string][] = [];
  for (let at = 0; at < members.length; at++) {
    const from = members[at] ?? "";
    const to = members[at + 2];
    if (members[at + 1] === "-" && to !== undefined) {
      ranges.push([from, to]);
      at += 2;
    } else {
      ranges.push([from, from]);
    }
  }
  return { kind: "set", negated, ranges };
}

/** Only the last star ever needs another try, since an earlier one already took as little as it can. */
function matches(tokens: Token[], name: ArrayLike<string>): boolean {
  let token = 0;
  let at = 0;
  let star = -1;
  let starAt = 0;
  while (at < name.length) {
    const current = tokens[token];
    if (current?.kind === "star") {
      star = token++;
      starAt = at;
    } else if (current && matchesOne(current, name[at] ?? "")) {
      token++;
      at++;
    } else if (star >= 0) {
      token = star + 1;
      at = ++starAt;
    } else {
      return false;
    }
  }
  while (tokens[token]?.kind === "star") token++;
  return token === tokens.length;
}

function matchesOne(token: Token, char: string): boolean {
  switch (token.kind) {
    case "star":
    case "any":
      return true;
    case "char":
      return token.char === char;
    case "set":
      return token.ranges.some(([from, to]) => from <= char && char <= to) !== token.negated;
  }
}
