/** How long each step of a call may take. */
export interface CallLimits {
  /** Looking up the name, TCP and TLS together. */
  connectMs: number;
  /** Until the whole request has been taken; a big one may take longer, as long as it keeps being taken. */
  deliveryMs: number;
  /** From then until the answer begins. */
  runMs: number;
}

export interface RequestedLimits {
  /** Of the run; the other steps get no more. */
  timeoutMs?: number;
  connectTimeoutMs?: number;
  deliveryTimeoutMs?: number;
}

const DEFAULT_RUN_MS = 20_000; // what the original waits
export const DEFAULT_CONNECT_MS = 10_000;
export const DEFAULT_DELIVERY_MS = 30_000;

/** The limits of one call. */
export function callLimits(requested: RequestedLimits): CallLimits {
  const runMs = requested.timeoutMs ?? DEFAULT_RUN_MS;
  const { connectTimeoutMs = DEFAULT_CONNECT_MS, deliveryTimeoutMs = DEFAULT_DELIVERY_MS } =
    requested;
  return {
    connectMs: Math.min(connectTimeoutMs, runMs),
    deliveryMs: Math.min(deliveryTimeoutMs, runMs),
    runMs,
  };
}
