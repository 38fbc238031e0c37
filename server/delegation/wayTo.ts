import type { Inventory } from "../targets/inventory";
import type { CallPaths } from "./callPaths";
import { nameKey } from "./delegationMap";
import type { MapIdentities } from "./mapIdentities";

/**
 * Over whom a host is called, itself last; null where neither the map nor the inventory has it. A minion of this
 * overlord is called directly, whatever the map says. Throws FuncError "conflict" for a name of several hosts.
 */
export function wayTo(
  name: string,
  paths: CallPaths,
  identities: Pick<MapIdentities, "keyOf">,
  inventory: Pick<Inventory, "find">,
): string[] | null {
  const path = paths.pathTo(name);
  if (!path) return null;
  const last = path.at(-1) ?? "";
  const own = path.length > 1 ? inventory.find(nameKey(last)) : undefined;
  const identity = own && identities.keyOf(path);
  const isOther = identity !== undefined && own?.keyFingerprint !== identity;
  return own && !isOther ? [last] : path;
}

/** Those of the hosts at the beginning of paths that are no minions of this overlord: nobody is called over them. */
export function strangersOf(
  paths: readonly (readonly string[] | null)[],
  inventory: Pick<Inventory, "find">,
): string[] {
  const first = new Set(paths.flatMap((path) => path?.[0] ?? []));
  return [...first].filter((name) => !inventory.find(nameKey(name)));
}
