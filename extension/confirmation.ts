import type { MethodRisk } from "../server/protocol/methods";

/** How many minions a question names before it says "and 7 more". */
const NAMES_SHOWN = 5;

/**
 * Whether a call is asked about first: always where it interrupts a service, never where it only
 * looks, else where it concerns more than `confirmAbove` minions (0: always).
 */
export function needsConfirmation(
  risk: MethodRisk | undefined,
  minions: number,
  confirmAbove: number,
): boolean {
  if (risk === "disruptive") return true;
  if (risk === "read") return false;
  return confirmAbove === 0 || minions > confirmAbove;
}

/** "web1, web2 and 38 more". */
export function firstNames(names: readonly string[]): string {
  const shown = names.slice(0, NAMES_SHOWN).join(", ");
  const rest = names.length - NAMES_SHOWN;
  return rest > 0 ? `${shown} and ${rest} more` : shown;
}
