import { findDelegatedTargets } from "../delegation/findDelegatedTargets";
import type { MinionRecord } from "../protocol/minions";
import type { Handlers, OverlordParts } from "./service";

/** What answers the requests about who is meant by a target expression. */
export function targetHandlers(
  parts: OverlordParts,
): Pick<Handlers, "minions/match" | "minions/describe"> {
  const { inventory, methods } = parts;
  return {
    "minions/match": async (targets) => {
      const { minions, behind, warning } = await findDelegatedTargets(targets, parts);
      const names = [...minions, ...behind].map(({ name }) => name).sort();
      return { spec: targets.spec, names, ...(warning !== undefined && { warning }) };
    },
    "minions/describe": async (targets, _feed, signal) => {
      const { minions, behind } = await findDelegatedTargets(targets, parts);
      const hops = [...new Set(behind.map(({ path: [hop = ""] }) => hop))];
      const near: MinionRecord[] = hops.flatMap((hop) => inventory.find(hop) ?? []);
      // a host behind others is taken to have what the nearest one that answers has
      return methods.describe(minions.length > 0 ? minions : near, signal);
    },
  };
}
