import type { MinionBehind } from "../jobs/engine/minionsBehind";
import type { MinionRecord } from "../protocol/minions";
import type { TargetParams } from "../protocol/requests";
import { FuncError } from "../common/errors";
import { isPattern } from "../targets/fnmatch";
import { findTargets } from "../targets/findTargets";
import type { GroupsFile } from "../targets/groupsFile";
import type { Inventory } from "../targets/inventory";
import { matchTargets, usesGroups } from "../targets/targetSpec";
import type { CallPaths } from "./callPaths";
import { nameKey } from "./delegationMap";
import type { DelegationMap, DelegationMaps } from "./delegationMaps";
import { explainNoMatch } from "./explainNoMatch";
import { mapProblemText } from "./mapProblemText";

/** Who is called for a target expression. */
export interface FoundTargets {
  /** This overlord's own, by name. */
  minions: MinionRecord[];
  /** Those behind sub-overlords, by name. */
  behind: MinionBehind[];
  /** What is wrong with the map, of which the last good state was used. */
  warning?: string;
}

export interface TargetSources {
  inventory: Inventory;
  groups: GroupsFile;
  maps: DelegationMaps;
}

/**
 * The hosts that are meant: with `delegate` also those that the map has behind sub-overlords, by the same rules. Who
 * is a minion of this overlord is called directly, whatever the map says. Throws what matchTargets, GroupsFile.groups
 * and DelegationMaps.current throw, and FuncError "conflict" for a name that several hosts have.
 */
export async function findDelegatedTargets(
  params: TargetParams,
  sources: TargetSources,
): Promise<FoundTargets> {
  const { spec, exclude, delegate = false } = params;
  const { inventory, groups } = sources;
  try {
    if (delegate) return await findInMap(params, sources);
    return { minions: await findTargets({ spec, exclude }, inventory, groups), behind: [] };
  } catch (error) {
    throw await explained(error, params, sources);
  }
}

async function findInMap(
  { spec, exclude, mapFile }: TargetParams,
  { inventory, groups, maps }: TargetSources,
): Promise<FoundTargets> {
  const map = await maps.current(mapFile);
  const known = hostsBehind(map, maps, inventory);
  const direct = inventory.list().map(({ name }) => name);
  const names = [...direct, ...known.keys()];
  const isKnown = new Set(names);
  for (const expression of [spec, exclude ?? ""]) refuseAmbiguous(expression, isKnown, map.paths);
  const targets = {
    spec: withKnownNames(spec, isKnown, map.paths),
    ...(exclude !== undefined && { exclude: withKnownNames(exclude, isKnown, map.paths) }),
  };
  const groupsNow = usesGroups(targets) ? await groups.groups() : undefined;
  const minions: MinionRecord[] = [];
  const behind: MinionBehind[] = [];
  for (const name of matchTargets(targets, names, groupsNow)) {
    const host = known.get(name);
    if (host) {
      behind.push(host);
      continue;
    }
    const minion = inventory.find(name);
    if (minion) minions.push(minion);
  }
  const warning = map.problem && `The last good map is in use: ${mapProblemText(map.problem)}`;
  return { minions, behind, ...(warning !== undefined && { warning }) };
}

/** A host may be named "name@the one before it" also where its name alone would do. */
function withKnownNames(expression: string, known: ReadonlySet<string>, paths: CallPaths): string {
  if (!expression.includes("@")) return expression;
  const named = (part: string): string => {
    const name = nameKey(part.trim());
    if (name.startsWith("@") || isPattern(name) || known.has(name)) return part;
    const own = paths.pathTo(name)?.at(-1);
    return own !== undefined && known.has(nameKey(own)) ? own : part;
  };
  return expression.split(";").map(named).join(";");
}

/** Says of "no-match" what the map knows; who has no map delegates nothing. */
async function explained(
  error: unknown,
  params: TargetParams,
  { inventory, groups, maps }: TargetSources,
): Promise<unknown> {
  if (!(error instanceof FuncError) || error.reason !== "no-match") return error;
  const map = await maps.current(params.mapFile).catch(() => undefined);
  if (!map) return error;
  return explainNoMatch(error, params, {
    own: inventory.list().map(({ name }) => name),
    behind: [...hostsBehind(map, maps, inventory).keys()],
    pathTo: (name) => map.paths.onlyPathTo(name),
    nodes: map.nodes,
    seen: maps.identities,
    groups: usesGroups(params) ? await groups.groups().catch(() => new Map()) : new Map(),
  });
}

/** By the name that a target expression has for each, in lower case. */
function hostsBehind(
  { paths }: DelegationMap,
  { identities }: DelegationMaps,
  inventory: Inventory,
): Map<string, MinionBehind> {
  const hosts = new Map<string, MinionBehind>();
  for (const targetName of paths.names()) {
    const path = paths.pathTo(targetName)?.map(nameKey) ?? [];
    const own = path.at(-1) ?? "";
    if (path.length < 2) continue;
    const identity = identities.keyOf(path);
    const direct = inventory.find(own);
    const isOther = identity !== undefined && direct && direct.keyFingerprint !== identity;
    if (direct && !isOther) continue;
    const name = isOther ? `${own}@${path.at(-2) ?? ""}` : nameKey(targetName);
    hosts.set(name, { name, path, ...(identity !== undefined && { identity }) });
  }
  return hosts;
}

/** Throws FuncError "conflict" for a single name that means several hosts of the map. */
function refuseAmbiguous(expression: string, known: ReadonlySet<string>, paths: CallPaths): void {
  for (const part of expression.split(";")) {
    const name = nameKey(part.trim());
    if (name === "" || isPattern(name) || known.has(name)) continue;
    paths.pathTo(name);
  }
}
