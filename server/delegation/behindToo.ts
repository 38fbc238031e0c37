import type { BehindToo } from "../protocol/jobs";
import type { TargetParams } from "../protocol/requests";
import { fnmatch, isPattern } from "../targets/fnmatch";
import { usesGroups, type Groups } from "../targets/targetSpec";
import type { CallPaths } from "./callPaths";
import { nameKey } from "./delegationMap";
import type { TargetSources } from "./findDelegatedTargets";

const MAX_HOPS = 3;

type Matches = (name: string) => boolean;

interface HostBehind {
  /** As target expressions have it, in lower case. */
  name: string;
  own: string;
  hop: string;
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
  const isMeant = anyOf(parts.map((part) => matcherOf(part, known)));
  const isOut = anyOf(partsOf(exclude ?? "").map((part) => matcherOf(part, known)));
  const hops = new Map<string, number>();
  let hosts = 0;
  for (const { name, own, hop } of hostsBehind(paths)) {
    if (!isMeant(name) || isOut(name)) continue;
    const direct = inventory.find(own);
    if (direct) {
      const identity = maps.identities.keyOf(paths.onlyPathTo(name) ?? []);
      if (identity === undefined || identity === direct.keyFingerprint) continue;
    }
    hosts++;
    hops.set(hop, (hops.get(hop) ?? 0) + 1);
  }
  if (hosts === 0) return undefined;
  const most = [...hops].sort(([, a], [, b]) => b - a).map(([hop]) => hop);
  return { hosts, hops: most.slice(0, MAX_HOPS), moreHops: Math.max(0, most.length - MAX_HOPS) };
}

function partsOf(expression: string): string[] {
  const parts = expression.split(";").map((part) => part.trim());
  return parts.filter((part) => part !== "");
}

function matcherOf(part: string, groups: Groups): Matches {
  if (!part.startsWith("@")) {
    const key = nameKey(part);
    return isPattern(part) ? fnmatch(part) : (name) => name === key;
  }
  const colon = part.indexOf(":");
  const group = part.slice(1, colon < 0 ? undefined : colon).trim();
  const isMember = anyOf(
    (groups.get(nameKey(group)) ?? []).map((entry) => matcherOf(entry, new Map())),
  );
  if (colon < 0) return isMember;
  const fits = matcherOf(part.slice(colon + 1).trim(), new Map());
  return (name) => isMember(name) && fits(name);
}

function anyOf(all: readonly Matches[]): Matches {
  return (name) => all.some((matches) => matches(name));
}

function hostsBehind(paths: CallPaths): readonly HostBehind[] {
  const cached = hostsOf.get(paths);
  if (cached) return cached;
  const hosts: HostBehind[] = [];
  for (const targetName of paths.names()) {
    const path = paths.onlyPathTo(targetName) ?? [];
    const [hop = ""] = path;
    if (path.length < 2) continue;
    hosts.push({ name: nameKey(targetName), own: nameKey(path.at(-1) ?? ""), hop });
  }
  hostsOf.set(paths, hosts);
  return hosts;
}
