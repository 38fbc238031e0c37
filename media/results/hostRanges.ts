/** Names as short text, and how many of them are not in it. */
export interface HostRanges {
  text: string;
  rest: number;
}

/** Consecutive names that differ only in one number: `tokens[vary]` runs through `ranges`. */
interface Run {
  tokens: string[];
  vary: number | undefined;
  ranges: [string, string][];
  count: number;
}

/** Longer numbers lose digits in arithmetic, and no host is counted with them. */
const MAX_DIGITS = 15;

/**
 * Names in natural order as ranges: "web-[001-214,216], edge-fra-3". Ends once the text has `maxChars`
 * characters or a little more.
 */
export function hostRanges(names: readonly string[], maxChars: number): HostRanges {
  const parts: string[] = [];
  let length = 0;
  let told = 0;
  let run: Run | undefined;
  const flush = (): void => {
    if (!run) return;
    const part = runText(run);
    parts.push(part);
    length += part.length + 2;
    told += run.count;
  };
  for (const name of names) {
    const tokens = name.split(/(\d+)/);
    if (run && extend(run, tokens)) continue;
    flush();
    run = undefined;
    if (length >= maxChars) return { text: parts.join(", "), rest: names.length - told };
    run = { tokens, vary: undefined, ranges: [], count: 1 };
  }
  flush();
  return { text: parts.join(", "), rest: 0 };
}

/** Takes one more name into the run, where it differs from the one before in its one number only. */
function extend(run: Run, tokens: string[]): boolean {
  const at = onlyDifference(run.tokens, tokens);
  // numbers have the odd places
  if (at === undefined || at % 2 === 0 || (run.vary !== undefined && run.vary !== at)) return false;
  const before = run.tokens[at] ?? "";
  const number = tokens[at] ?? "";
  if (run.vary === undefined) {
    run.vary = at;
    run.ranges = [[before, before]];
  }
  const last = run.ranges.at(-1);
  if (last && follows(before, number)) last[1] = number;
  else run.ranges.push([number, number]);
  run.tokens = tokens;
  run.count++;
  return true;
}

/** The one place where two lists of the same length differ. */
function onlyDifference(a: readonly string[], b: readonly string[]): number | undefined {
  if (a.length !== b.length) return undefined;
  let found: number | undefined;
  for (let at = 0; at < a.length; at++) {
    if (a[at] === b[at]) continue;
    if (found !== undefined) return undefined;
    found = at;
  }
  return found;
}

/** Whether `next` is written as one more than `number`: 009 and 010, 9 and 10, but not 9 and 010. */
function follows(number: string, next: string): boolean {
  if (next.length > MAX_DIGITS || Number(next) !== Number(number) + 1) return false;
  return next.length === number.length || !(number.startsWith("0") || next.startsWith("0"));
}

function runText({ tokens, vary, ranges }: Run): string {
  if (vary === undefined) return tokens.join("");
  const inner = ranges.map(([from, to]) => (from === to ? from : `${from}-${to}`)).join(",");
  return [...tokens.slice(0, vary), `[${inner}]`, ...tokens.slice(vary + 1)].join("");
}
