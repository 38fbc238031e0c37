import type { MapTree } from "./mapTree";

/** Hosts that show at first; more are folded. */
const MAX_FIRST = 150;

/** Whose hosts show at first: of as many tiers as fit, this overlord's own in any case. */
export function firstExpanded(tree: MapTree, most = MAX_FIRST): Set<number> {
  const expanded = new Set<number>([0]);
  let tier = [...tree.childrenOf(0)];
  let shown = tier.length;
  while (tier.length > 0) {
    const next = tier.flatMap((place) => [...tree.childrenOf(place)]);
    shown += next.length;
    if (shown > most) break;
    for (const place of tier) if (tree.isOverlord(place)) expanded.add(place);
    tier = next;
  }
  return expanded;
}
