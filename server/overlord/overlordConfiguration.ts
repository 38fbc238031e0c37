import type { StoreLimits } from "../jobs/store/workerProtocol";
import type { AutosignRules } from "../pki/certmaster/autosign";
import type { MapScheduleSettings } from "./mapSchedule";
import { DEFAULT_CONNECT_MS, DEFAULT_DELIVERY_MS } from "../wire/callLimits";

/** `<data>/overlord.yaml`, with defaults. */
export interface OverlordConfiguration {
  /** How many minions are called at the same time. */
  nforks: number;
  /** True where the file says so: then calls that run for long keep their places too. */
  nforksGiven: boolean;
  /** Limit for finding a minion: name, TCP and TLS. */
  connectTimeoutMs: number;
  /** Limit for giving it the request, or for starting an async call there. */
  deliveryTimeoutMs: number;
  /** Limit from then until its answer begins. */
  timeoutMs: number;
  certmasterListen: { host: string; port: number };
  /** What is signed without an operator while requests are taken; nothing without. */
  autosign?: AutosignRules;
  /** Where the original's plain HTTP is answered, for old minions; nowhere without. */
  originalHttp?: { host: string; port: number };
  /** The overlord ends itself after this long without a client or work. */
  idleMs: number;
  /** How long finished jobs are kept, and how many at most. */
  jobs: StoreLimits;
  map: MapScheduleSettings;
}

export const DEFAULTS: OverlordConfiguration = {
  nforks: 64,
  nforksGiven: false,
  connectTimeoutMs: DEFAULT_CONNECT_MS,
  deliveryTimeoutMs: DEFAULT_DELIVERY_MS,
  timeoutMs: 60_000,
  certmasterListen: { host: "0.0.0.0", port: 51_235 },
  idleMs: 10 * 60_000,
  jobs: { keepMs: 7 * 86_400_000, keepJobs: 100_000, keepBytes: 16 * 1024 ** 3 },
  map: { onlyAlive: false },
};
