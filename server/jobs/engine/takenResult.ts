import type { MinionResult } from "../../protocol/jobs";

/** True for results of async calls that were taken from the minion, which keeps them until it is told. */
export function isTaken({ state, minionJobId, cancelPending }: MinionResult): boolean {
  if (minionJobId === undefined || cancelPending) return false;
  return ["succeeded", "failed", "denied", "cancelled"].includes(state);
}
