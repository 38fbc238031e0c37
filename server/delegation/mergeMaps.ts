import { nameKey, type MapNode } from "./delegationMap";

/**
 * Both maps in one, to every depth: nothing that `before` has gets lost (`func-build-map --append`). Names are
 * written as in `added`, those of `before` first.
 */
export function mergeMaps(before: readonly MapNode[], added: readonly MapNode[]): MapNode[] {
  const rest = new Map(added.map((node) => [nameKey(node.name), node]));
  const merged = before.map((node) => {
    const other = rest.get(nameKey(node.name));
    if (!other) return node;
    rest.delete(nameKey(node.name));
    return { name: other.name, children: mergeMaps(node.children, other.children) };
  });
  return [...merged, ...rest.values()];
}

/** What is in one map only, as paths from the top; what stands below a new or missing host is not told again. */
export interface MapChanges {
  added: string[][];
  removed: string[][];
}

/** What changed from `before` to `after`. */
export function mapChanges(before: readonly MapNode[], after: readonly MapNode[]): MapChanges {
  const changes: MapChanges = { added: [], removed: [] };
  compare(before, after, [], changes);
  return changes;
}

function compare(
  before: readonly MapNode[],
  after: readonly MapNode[],
  path: readonly string[],
  changes: MapChanges,
): void {
  const known = new Map(before.map((node) => [nameKey(node.name), node]));
  for (const node of after) {
    const earlier = known.get(nameKey(node.name));
    known.delete(nameKey(node.name));
    const here = [...path, node.name];
    if (earlier) compare(earlier.children, node.children, here, changes);
    else changes.added.push(here);
  }
  for (const { name } of known.values()) changes.removed.push([...path, name]);
}
