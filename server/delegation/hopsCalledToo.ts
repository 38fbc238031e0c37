import type { MinionBehind } from "../jobs/engine/minionsBehind";

/** First hops behind which, at whatever depth, a host is called that is the hop to another one that is called. */
export function hopsCalledToo(
  minions: readonly { name: string }[],
  behind: readonly MinionBehind[],
): string[] {
  const called = new Set([
    ...minions.map(({ name }) => name),
    ...behind.map(({ path }) => path.join("\n")),
  ]);
  const hops = new Set<string>();
  for (const { path } of behind) {
    const isHop = path.some((_, at) => at > 0 && called.has(path.slice(0, at).join("\n")));
    if (isHop && path[0] !== undefined) hops.add(path[0]);
  }
  return [...hops];
}
