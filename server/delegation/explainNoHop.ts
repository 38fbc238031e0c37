import { FuncError } from "../common/errors";
import type { Inventory } from "../targets/inventory";
import { nameKey, type MapNode } from "./delegationMap";
import type { DelegationMaps } from "./delegationMaps";

/**
 * The error for a path to a sub-overlord whose first host is no minion of this overlord, with where the map has that
 * host; undefined where it is one, or nobody knows it.
 */
export async function explainNoHop(
  path: readonly string[],
  { inventory, maps }: { inventory: Pick<Inventory, "find">; maps: DelegationMaps },
): Promise<FuncError | undefined> {
  const [first = "", ...rest] = path;
  if (inventory.find(first)) return undefined;
  const map = await maps.current().catch(() => undefined);
  const found = map?.paths.onlyPathTo(first);
  if (!map || !found || found.length < 2) return undefined;
  const above = found.slice(0, -1).join("/");
  if ((nodeAt(map.nodes, found)?.children.length ?? 0) > 0) {
    const way = [...found, ...rest].join("/");
    const message = `${first} is no minion of this overlord: it stands behind ${above}.`;
    return new FuncError("not-found", message, `Name the whole path: --at ${way}`);
  }
  const message = `${first} is no sub-overlord by the map: it stands behind ${above}, with nobody behind it.`;
  return new FuncError("not-found", message, `The sub-overlord that it belongs to: --at ${above}`);
}

function nodeAt(nodes: readonly MapNode[], path: readonly string[]): MapNode | undefined {
  const [name = "", ...rest] = path;
  const node = nodes.find((one) => nameKey(one.name) === nameKey(name));
  return node && rest.length > 0 ? nodeAt(node.children, rest) : node;
}
