import { setImmediate as breathe } from "node:timers/promises";
import type { MinionBehind } from "../jobs/engine/minionsBehind";
import type { Inventory } from "../targets/inventory";
import { CallPaths } from "./callPaths";
import { nameKey, type MapNode } from "./delegationMap";
import type { DelegationMaps } from "./delegationMaps";

/** Others have their turn after so long. */
const LONGEST_MS = 30;

/** Finds ways around hops that fail. */
export class OtherRoutes {
  private readonly pruned = new Map<string, Promise<CallPaths | undefined>>();
  private sinceMs = -Infinity;

  constructor(
    private readonly maps: DelegationMaps,
    private readonly inventory: Inventory,
    private readonly mapFile: string | undefined,
  ) {}

  /** The minion by its shortest path without these hops; undefined where the map has none. Never rejects. */
  async without(
    hops: ReadonlySet<string>,
    minion: MinionBehind,
  ): Promise<MinionBehind | undefined> {
    const key = [...hops].sort().join("\n");
    const known = this.pruned.get(key) ?? this.prune(hops);
    this.pruned.set(key, known);
    const paths = await known;
    if (performance.now() - this.sinceMs > LONGEST_MS) {
      await breathe();
      this.sinceMs = performance.now();
    }
    const path = paths && this.pathOf(paths, minion);
    return path && { ...minion, path };
  }

  private async prune(hops: ReadonlySet<string>): Promise<CallPaths | undefined> {
    // a sub-overlord need not have a map
    const map = await this.maps.current(this.mapFile).catch(() => undefined);
    if (!map) return undefined;
    const { identities } = this.maps;
    const nodes = withoutHops(map.nodes, hops).filter(({ name }) => this.inventory.find(name));
    return new CallPaths(nodes, (path) => identities.keyOf(path));
  }

  private pathOf(paths: CallPaths, { path, identity }: MinionBehind): string[] | undefined {
    for (const names of paths.pathsTo(path.at(-1) ?? "", identity)) {
      const found = names.map(nameKey);
      if (found.length < 2) continue;
      const known = this.maps.identities.keyOf(found);
      if (known === identity || known === undefined || identity === undefined) return found;
    }
    return undefined;
  }
}

/** The map as if these were no sub-overlords; they themselves stay in it. */
export function withoutHops(
  nodes: readonly MapNode[],
  hops: ReadonlySet<string>,
): readonly MapNode[] {
  return nodes.map((node) => ({
    name: node.name,
    children: hops.has(nameKey(node.name)) ? [] : withoutHops(node.children, hops),
  }));
}
