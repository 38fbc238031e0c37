import { messageOf } from "../common/errors";
import { describeBehind } from "../delegation/describeBehind";
import { findDelegatedTargets } from "../delegation/findDelegatedTargets";
import { textOfAsking } from "../delegation/textOfAsking";
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
      const [first] = behind;
      if (minions.length > 0 || !first) return methods.describe(minions, signal);
      const away = new Set<string>();
      try {
        return await describeBehind({ ...parts, away }, behind, signal);
      } catch (error) {
        if (signal.aborted) throw error;
        // one that cannot ask its minions for this, or a host that is away
        const hops = new Set(behind.map(({ path: [hop = ""] }) => hop));
        const there = [...hops].filter((hop) => !away.has(hop));
        const near: MinionRecord[] = there.flatMap((hop) => inventory.find(hop) ?? []);
        if (near.length === 0) throw error;
        const described = await methods.describe(near, signal);
        const problem = textOfAsking(messageOf(error));
        return { ...described, insteadOf: { minion: first.name, problem } };
      }
    },
  };
}
