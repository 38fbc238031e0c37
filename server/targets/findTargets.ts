import type { MinionRecord } from "../protocol/minions";
import type { GroupsFile } from "./groupsFile";
import type { Inventory } from "./inventory";
import { usesGroups, type TargetSpec } from "./targetSpec";

/**
 * The minions that are meant, sorted by name. See matchTargets; where a group is named, throws what
 * GroupsFile.groups throws too.
 */
export async function findTargets(
  targets: TargetSpec,
  inventory: Inventory,
  file: GroupsFile,
): Promise<MinionRecord[]> {
  return inventory.match(targets, usesGroups(targets) ? await file.groups() : undefined);
}
