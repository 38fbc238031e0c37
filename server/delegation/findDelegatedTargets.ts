import type { MinionBehind } from "../jobs/engine/minionsBehind";
import type { MinionRecord } from "../protocol/minions";
import type { TargetParams } from "../protocol/requests";
import { FuncError } from "../common/errors";
import { findTargets } from "../targets/findTargets";
import type { GroupsFile } from "../targets/groupsFile";
import type { Inventory } from "../targets/inventory";
import { matchTargets, plainNames, usesGroups, type Groups } from "../targets/targetSpec";
import { delegatedNames } from "./delegatedNames";
import type { DelegationMaps } from "./delegationMaps";
import { explainNoMatch, withOldMap, withoutMap } from "./explainNoMatch";
import { mapProblemText } from "./mapProblemText";
import { notInMapText } from "./notInMap";

/** Who is called for a target expression. */
export interface FoundTargets {
  /** This overlord's own, by name. */
  minions: MinionRecord[];
  /** Those behind sub-overlords, by name. */
  behind: MinionBehind[];
  /** What is wrong with the map, of which the last good state was used, or who may be missing in it. */
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
  const { identities } = maps;
  const names = delegatedNames({ map, identities, inventory });
  const targets = { spec, ...(exclude !== undefined && { exclude }) };
  const groupsNow: Groups = usesGroups(targets) ? await groups.groups() : new Map();
  const minions: MinionRecord[] = [];
  const behind: MinionBehind[] = [];
  for (const name of matchTargets(targets, names, groupsNow)) {
    const host = names.behind.get(name);
    if (host) {
      behind.push(host);
      continue;
    }
    const minion = inventory.find(name);
    if (minion) minions.push(minion);
  }
  const warnings = [
    map.problem && `The last good map is in use: ${mapProblemText(map.problem)}`,
    // another map may be meant to have a part only
    mapFile === undefined
      ? notInMapText(targets, map, { identities, inventory, groups: groupsNow })
      : undefined,
  ].filter((text) => text !== undefined);
  return { minions, behind, ...(warnings.length > 0 && { warning: warnings.join("\n") }) };
}

/** Says of "no-match" what the map knows; who has no map delegates nothing. */
async function explained(
  error: unknown,
  params: TargetParams,
  { inventory, groups, maps }: TargetSources,
): Promise<unknown> {
  if (!(error instanceof FuncError) || error.reason !== "no-match") return error;
  let map;
  try {
    map = await maps.current(params.mapFile);
  } catch (problem) {
    return problem instanceof FuncError ? withoutMap(error, problem) : error;
  }
  const explained = explainNoMatch(error, params, {
    own: plainNames(inventory.list().map(({ name }) => name)),
    all: delegatedNames({ map, identities: maps.identities, inventory }),
    paths: map.paths,
    nodes: map.nodes,
    seen: maps.identities,
    groups: usesGroups(params) ? await groups.groups().catch(() => new Map()) : new Map(),
  });
  return map.problem ? withOldMap(explained, map.problem) : explained;
}
