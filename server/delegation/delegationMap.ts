/**
 * One host of a delegation map: a minion, or a sub-overlord with the minions behind it. The map itself is
 * the list of those that stand directly below this overlord (seed "Delegation"; FUNC-SPEC 3.1).
 */
export interface MapNode {
  /** As the overlord above it knows it. */
  readonly name: string;
  readonly children: readonly MapNode[];
}

/** Deeper trees are taken for a mistake, or for a cycle that was written down. */
export const MAX_MAP_DEPTH = 64;
/** Room for a hundred thousand hosts with several ways to each. */
export const MAX_MAP_NODES = 1_000_000;

/** Hosts are the same where their names differ only in case. */
export function nameKey(name: string): string {
  return name.toLowerCase();
}

/** A host's place in the map as one text: no name has a line's end. */
export function pathKey(path: readonly string[]): string {
  return path.map(nameKey).join("\n");
}

/** Every node with its depth (1 for those directly below), parents before children. */
export function* walkMap(map: readonly MapNode[]): Generator<{ node: MapNode; depth: number }> {
  let level = map;
  for (let depth = 1; level.length > 0; depth++) {
    const next: MapNode[][] = [];
    for (const node of level) {
      yield { node, depth };
      if (node.children.length > 0) next.push([...node.children]);
    }
    level = next.flat();
  }
}

/** All entries of a map. */
export function countNodes(nodes: readonly MapNode[]): number {
  return nodes.reduce((sum, { children }) => sum + 1 + countNodes(children), 0);
}
