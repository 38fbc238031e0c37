import { FuncError } from "../../common/errors";
import type { BatchPlan } from "../../protocol/jobs";
import type { MinionRecord } from "../../protocol/minions";
import { findTargets } from "../../targets/findTargets";
import type { GroupsFile } from "../../targets/groupsFile";
import type { Inventory } from "../../targets/inventory";

/**
 * The names of the job's minions that go first; undefined where none do. Throws FuncError "bad-argument" where the
 * expression means none of them, and what findTargets throws.
 */
export async function findCanaries(
  batch: BatchPlan | undefined,
  minions: readonly MinionRecord[],
  inventory: Inventory,
  groups: GroupsFile,
): Promise<string[] | undefined> {
  if (batch?.canary === undefined) return undefined;
  const meant = await findTargets({ spec: batch.canary }, inventory, groups);
  const names = new Set(meant.map(({ name }) => name));
  const canaries = minions.map(({ name }) => name).filter((name) => names.has(name));
  if (canaries.length > 0) return canaries;
  throw new FuncError(
    "bad-argument",
    `"${batch.canary.slice(0, 200)}" means none of the job's minions, so none of them can go first.`,
    "Name some of those that are called.",
  );
}
