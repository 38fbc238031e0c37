import type { MinionBehind } from "../jobs/engine/minionsBehind";
import { FuncError } from "../common/errors";
import type { MinionRecord } from "../protocol/minions";
import type { Inventory } from "../targets/inventory";
import { nameKey } from "./delegationMap";

/** A host that an overlord above has named by its way from here. */
export interface PathTarget {
  path: readonly string[];
  identity?: string;
}

/** The same as this overlord calls them. */
export interface DividedTargets<Target extends PathTarget> {
  minions: MinionRecord[];
  /** Hosts that this overlord does not know are among them, with a way of one name. */
  behind: MinionBehind[];
  /** By the names that they have in the job. */
  targets: Map<string, Target>;
}

/**
 * Who of the hosts is this overlord's own, and who stands behind others. Where several have one name, all but the own
 * one get those before them on the way as well: "web1@mid2". Throws FuncError "bad-argument" for one that comes twice.
 */
export function divideTargets<Target extends PathTarget>(
  given: readonly Target[],
  inventory: Pick<Inventory, "find">,
): DividedTargets<Target> {
  const minions: MinionRecord[] = [];
  const behind: MinionBehind[] = [];
  const targets = new Map<string, Target>();
  const counts = new Map<string, number>();
  for (const { path } of given) {
    const own = ownName(path);
    counts.set(own, (counts.get(own) ?? 0) + 1);
  }
  for (const target of given) {
    const path = target.path.map(nameKey);
    const own = ownName(path);
    const isOnly = counts.get(own) === 1 || path.length === 1;
    const name = isOnly ? own : path.toReversed().join("@");
    if (targets.has(name)) {
      throw new FuncError("bad-argument", `${name.slice(0, 300)} was named twice in one call.`);
    }
    targets.set(name, target);
    const minion = path.length === 1 ? inventory.find(own) : undefined;
    const { identity } = target;
    if (minion) minions.push(minion);
    else behind.push({ name, path, ...(identity !== undefined && { identity }) });
  }
  return { minions, behind, targets };
}

function ownName(path: readonly string[]): string {
  return nameKey(path.at(-1) ?? "");
}
