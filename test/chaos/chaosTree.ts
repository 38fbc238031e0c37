/** Overlords with those directly below each, the top first; who has minions of its own is a sub-overlord. */
export type ChaosTree = readonly { overlord: string; minions: readonly string[] }[];

const TOP = "top";

/**
 * A top with `widths[0]` hosts below it, `widths[1]` below each of these, and so on. Hosts are minion1, minion2,
 * ... from top to bottom.
 */
export function chaosTree(widths: readonly number[]): ChaosTree {
  const tree: { overlord: string; minions: string[] }[] = [];
  let above = [TOP];
  let count = 0;
  for (const width of widths) {
    const sites = above.map((overlord) => ({
      overlord,
      minions: Array.from({ length: width }, () => `minion${++count}`),
    }));
    tree.push(...sites);
    above = sites.flatMap(({ minions }) => minions);
  }
  return tree;
}

/** Every host of the tree. */
export function hostsOf(tree: ChaosTree): string[] {
  return tree.flatMap(({ minions }) => minions);
}

/** The delegation map of the whole tree. */
export function mapTextOf(tree: ChaosTree): string {
  const below = new Map(tree.map(({ overlord, minions }) => [overlord, minions]));
  const lines = (overlord: string, indent: string): string =>
    (below.get(overlord) ?? [])
      .map((name) =>
        below.has(name)
          ? `${indent}${name}:\n${lines(name, `${indent}    `)}`
          : `${indent}${name}: {}\n`,
      )
      .join("");
  return `---\n${lines(TOP, "")}`;
}
