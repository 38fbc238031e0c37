import { setTimeout as delay } from "node:timers/promises";
import type { OverlordConnection } from "./connection";
import type { ConnectionSource } from "./keptConnection";
import { isUnavailable } from "./responseError";

/** How often in a row an overlord may go away before it is given up. */
export const MAX_LOSSES = 5;
/** Grows with each loss. */
const AGAIN_AFTER_MS = 100;

/**
 * The next connection after `losses` in a row, of which one more is made of each failure to connect. Throws as
 * `ConnectionSource.connection` does, once there are too many, and what the signal's abort makes of the waiting.
 */
export async function reconnect(
  source: ConnectionSource,
  losses: number,
  signal: AbortSignal | undefined,
): Promise<OverlordConnection> {
  for (let failed = losses; ; failed++) {
    await delay(AGAIN_AFTER_MS * (failed - 1), undefined, { signal });
    try {
      return await source.connection(signal);
    } catch (error) {
      if (failed >= MAX_LOSSES || !isUnavailable(error)) throw error;
    }
  }
}
