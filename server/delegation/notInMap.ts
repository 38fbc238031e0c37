import type { NamedMinion } from "../jobs/minionGlob";
import type { TargetParams } from "../protocol/requests";
import { isPattern } from "../targets/fnmatch";
import type { Inventory } from "../targets/inventory";
import type { Groups } from "../targets/targetSpec";
import type { CallPaths } from "./callPaths";
import { nameKey } from "./delegationMap";
import type { DelegationMap } from "./delegationMaps";
import { hostMatcher, partsOf } from "./hostMatcher";
import type { MapIdentities } from "./mapIdentities";

const MAX_NAMES = 3;

interface LostHost extends NamedMinion {
  path: readonly string[];
  key: string;
}

/** A map and what is known of its hosts stay the same over many calls. */
const lostOf = new WeakMap<CallPaths, readonly LostHost[]>();

/**
 * Says how many hosts fit a glob or a group, were seen behind minions of this overlord, and are nowhere in the map that
 * it delegates by: it may have been cut off, or edited by mistake. Undefined for none.
 */
export function notInMapText(
  { spec, exclude }: Pick<TargetParams, "spec" | "exclude">,
  map: Pick<DelegationMap, "paths">,
  {
    identities,
    inventory,
    groups,
  }: { identities: MapIdentities; inventory: Pick<Inventory, "find" | "list">; groups: Groups },
): string | undefined {
  const parts = partsOf(spec).filter((part) => part.startsWith("@") || isPattern(part));
  if (parts.length === 0) return undefined;
  const lost = lostHosts(map.paths, identities);
  if (lost.length === 0) return undefined;
  const isMeant = hostMatcher(parts, groups);
  const isOut = hostMatcher(partsOf(exclude ?? ""), groups);
  const own = new Set(inventory.list().map(({ keyFingerprint }) => keyFingerprint));
  const missed = lost.filter(
    (host) =>
      inventory.find(host.path[0] ?? "") && !own.has(host.key) && isMeant(host) && !isOut(host),
  );
  if (missed.length === 0) return undefined;
  const names = missed.slice(0, MAX_NAMES).map(({ path }) => path.join("/"));
  if (missed.length > MAX_NAMES) names.push(`${missed.length - MAX_NAMES} more`);
  const who =
    missed.length === 1
      ? "1 host that fits was found behind others, and is"
      : `${missed.length} hosts that fit were found behind others, and are`;
  return `${who} not in the map any more (${names.join(", ")}): func map check tells where, func build-map looks for ${missed.length === 1 ? "it" : "them"} again.`;
}

function lostHosts(paths: CallPaths, identities: MapIdentities): readonly LostHost[] {
  const known = lostOf.get(paths);
  if (known) return known;
  const keys = new Set(paths.list().map(({ identity }) => identity));
  const lost = new Map<string, LostHost>();
  for (const { path, key, goneSinceMs } of identities.list()) {
    if (path.length < 2 || goneSinceMs !== undefined || keys.has(key) || lost.has(key)) continue;
    lost.set(key, { name: nameKey(path.at(-1) ?? ""), path, key });
  }
  const hosts = [...lost.values()];
  lostOf.set(paths, hosts);
  return hosts;
}
