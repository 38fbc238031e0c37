/** How long each step of a call may take. */
export interface CallLimits {
  /** Looking up the name, TCP and TLS together. */
  connectMs: number;
  /** Until the whole request has been taken. */
  deliveryMs: number;
  /** From then until the answer begins. */
  runMs: number;
}

export interface RequestedLimits {
  /** Of the run; the other steps get no more, but what a big request needs. */
  timeoutMs?: number;
  connectTimeoutMs?: number;
  deliveryTimeoutMs?: number;
}

const DEFAULT_RUN_MS = 20_000; // what the original waits
export const DEFAULT_CONNECT_MS = 10_000;
export const DEFAULT_DELIVERY_MS = 30_000;
/** A line that carries less is too slow for a request of that size. */
const LEAST_UPLOAD_BYTES_PER_MS = 100;

/** The limits of one call whose request has `bytes`. */
export function callLimits(requested: RequestedLimits, bytes: number): CallLimits {
  const runMs = requested.timeoutMs ?? DEFAULT_RUN_MS;
  const { connectTimeoutMs = DEFAULT_CONNECT_MS, deliveryTimeoutMs = DEFAULT_DELIVERY_MS } =
    requested;
  return {
    connectMs: Math.min(connectTimeoutMs, runMs),
    deliveryMs: Math.max(Math.min(deliveryTimeoutMs, runMs), bytes / LEAST_UPLOAD_BYTES_PER_MS),
    runMs,
  };
}
