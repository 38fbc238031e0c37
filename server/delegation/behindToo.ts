import type { BehindToo } from "../protocol/jobs";
import type { TargetParams } from "../protocol/requests";
import { isPattern } from "../targets/fnmatch";
import { usesGroups, type Groups } from "../targets/targetSpec";
import type { CallPaths } from "./callPaths";
import { nameKey } from "./delegationMap";
import type { TargetSources } from "./findDelegatedTargets";
import { hostMatcher, partsOf } from "./hostMatcher";

const MAX_HOPS = 3;

interface HostBehind {
  /** As target expressions have it, in lower case. */
  name: string;
  path: readonly string[];
}

/** Large maps stay the same over many calls. */
const hostsOf = new WeakMap<CallPaths, readonly HostBehind[]>();

/**
 * How many hosts behind sub-overlords fit a glob or a group of a target expression that means this overlord's own
 * minions only; undefined for none, for names alone, and where there is no map. Never throws.
 */
export async function behindToo(
  { spec, exclude, delegate }: TargetParams,
  { inventory, groups, maps }: TargetSources,
): Promise<BehindToo | undefined> {
  const parts = partsOf(spec).filter((part) => part.startsWith("@") || isPattern(part));
  if (delegate || parts.length === 0) return undefined;
  const map = await maps.current().catch(() => undefined);
  if (!map) return undefined;
  const { paths } = map;
  const known: Groups = usesGroups({ spec, exclude })
    ? await groups.groups().catch(() => new Map<string, string[]>())
    : new Map<string, string[]>();
  const isMeant = hostMatcher(parts, known);
  const isOut = hostMatcher(partsOf(exclude ?? ""), known);
  const hops = new Map<string, number>();
  let hosts = 0;
  for (const host of hostsBehind(paths)) {
    if (!isMeant(host) || isOut(host)) continue;
    const { path } = host;
    const [hop = ""] = path;
    const direct = inventory.find(nameKey(path.at(-1) ?? ""));
    if (direct) {
      const identity = maps.identities.keyOf(path);
      if (identity === undefined || identity === direct.keyFingerprint) continue;
    }
    hosts++;
    hops.set(hop, (hops.get(hop) ?? 0) + 1);
  }
  if (hosts === 0) return undefined;
  const most = [...hops].sort(([, a], [, b]) => b - a).map(([hop]) => hop);
  return { hosts, hops: most.slice(0, MAX_HOPS), moreHops: Math.max(0, most.length - MAX_HOPS) };
}

function hostsBehind(paths: CallPaths): readonly HostBehind[] {
  const cached = hostsOf.get(paths);
  if (cached) return cached;
  const hosts = paths
    .list()
    .filter(({ path }) => path.length > 1)
    .map(({ name, path }) => ({ name: nameKey(name), path }));
  hostsOf.set(paths, hosts);
  return hosts;
}
