/** Two measurements taken one right after the other. */
export interface Pair {
  ours: number;
  theirs: number;
}

/** The middle one; the mean of the two middle ones of an even number. Throws RangeError on none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  if (upper === undefined || lower === undefined) throw new RangeError("the median of nothing");
  return (lower + upper) / 2;
}

/**
 * The median of ours/theirs over the pairs: what slows the machine for a while slows both of a pair, so
 * that their ratio stays. Throws RangeError on no pair, or where a measurement is not above 0.
 */
export function pairedRatio(pairs: readonly Pair[]): number {
  return median(
    pairs.map(({ ours, theirs }) => {
      if (!(ours > 0 && theirs > 0)) throw new RangeError(`no ratio of ${ours} and ${theirs}`);
      return ours / theirs;
    }),
  );
}

/** Pairs up what `interleaved` measured. */
export function pairs(ours: readonly number[], theirs: readonly number[]): Pair[] {
  return ours.flatMap((own, index) => {
    const other = theirs[index];
    return other === undefined ? [] : [{ ours: own, theirs: other }];
  });
}

/**
 * Takes each measurement once a round, every other round in the opposite order, so that none always comes
 * after the same one. Results are in the order of the rounds.
 */
export async function interleaved<Name extends string, Result>(
  rounds: number,
  measurements: Readonly<Record<Name, (round: number) => Promise<Result>>>,
): Promise<Record<Name, Result[]>> {
  const names = Object.keys(measurements) as Name[];
  const results = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<
    Name,
    Result[]
  >;
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : [...names].reverse()) {
      results[name].push(await measurements[name](round));
    }
  }
  return results;
}

/** `1.23 [1.10-1.41]`: the median with the extremes. */
export function spread(values: readonly number[], digits = 2): string {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return `${median(values).toFixed(digits)} [${least.toFixed(digits)}-${most.toFixed(digits)}]`;
}
