import type { MinionCaller } from "../../calls/minionCaller";
import type { MinionRecord } from "../../protocol/minions";

const TIMEOUT_MS = 10_000;

/**
 * What a minion knows of a call: "unknown" means that it was never begun there; undefined where the minion is
 * away, or cannot tell.
 */
export type CallState = "unknown" | "running" | "ended" | undefined;

/** Asks a native minion about a call by its id. Never throws. */
export async function callStateOf(
  caller: MinionCaller,
  minion: MinionRecord,
  callId: string,
  signal: AbortSignal,
): Promise<CallState> {
  const options = { timeoutMs: TIMEOUT_MS, signal };
  const outcome = await caller.call(minion, "jobs.call_state", [callId], options);
  if (outcome.state !== "succeeded") return undefined;
  const { value } = outcome;
  return value === "unknown" || value === "running" || value === "ended" ? value : undefined;
}
