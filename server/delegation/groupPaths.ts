import { nameKey } from "./delegationMap";

/** Call paths by who is called first. */
export interface GroupedPaths {
  /** Hosts that are called directly. */
  direct: string[];
  /** The next hop, and what is left of each path behind it; in the order of the first of each. */
  behind: Map<string, string[][]>;
}

/**
 * Divides call paths into direct calls and one list for each next hop, also where paths over the same hop do not
 * stand side by side (seed "Delegation"; FUNC-SPEC 3.4). Empty paths are left out.
 */
export function groupPaths(paths: Iterable<readonly string[]>): GroupedPaths {
  const direct: string[] = [];
  const behind = new Map<string, string[][]>();
  const hops = new Map<string, string[][]>();
  for (const [hop, ...rest] of paths) {
    if (hop === undefined) continue;
    if (rest.length === 0) {
      direct.push(hop);
      continue;
    }
    const known = hops.get(nameKey(hop));
    if (known) {
      known.push(rest);
      continue;
    }
    const group = [rest];
    hops.set(nameKey(hop), group);
    behind.set(hop, group);
  }
  return { direct, behind };
}
