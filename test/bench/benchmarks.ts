import { badMinionsBenchmark } from "./badMinions";
import type { Benchmark } from "./benchmark";
import { codecBenchmark } from "./codecBenchmark";
import { codecWorker } from "./codecWorker";
import { fleetBenchmark } from "./fleetBenchmark";
import { jobsBenchmark } from "./jobsBenchmark";
import { journalBenchmark } from "./journalBenchmark";
import { largeBenchmark } from "./largeBenchmark";
import { notifyBenchmark } from "./notifyBenchmark";
import { notifyWorker, type NotifyOptions } from "./notifyWorker";
import { signBenchmark } from "./signBenchmark";
import { signWorker, type SignOptions } from "./signWorker";
import { sqlBenchmark } from "./sqlBenchmark";
import { sqlWorker, type SqlOptions } from "./sqlWorker";
import { sshBenchmark } from "./sshBenchmark";
import { startBenchmark } from "./startBenchmark";
import { storeBenchmark } from "./storeBenchmark";
import { storeWorker, type StoreOptions } from "./storeWorker";
import { largeTreeBenchmark, treeBenchmark } from "./treeBenchmark";
import { wireBenchmark } from "./wireBenchmark";
import { wireClientWorker, type WireClientOptions } from "./wireClientWorker";
import { wireServerWorker, type WireServerOptions } from "./wireServerWorker";

/** In the order in which they run. */
export const BENCHMARKS: readonly Benchmark[] = [
  wireBenchmark,
  sshBenchmark,
  codecBenchmark,
  signBenchmark,
  notifyBenchmark,
  startBenchmark,
  sqlBenchmark,
  journalBenchmark,
  storeBenchmark,
  fleetBenchmark,
  jobsBenchmark,
  treeBenchmark,
  largeTreeBenchmark,
  largeBenchmark,
  badMinionsBenchmark,
];

/** What runs in processes of its own, by name; `options` come from startWorker or workerCommand. */
export const WORKERS: Readonly<Record<string, (options: unknown) => Promise<void>>> = {
  wireServer: (options) => wireServerWorker(options as WireServerOptions),
  wireClient: (options) => wireClientWorker(options as WireClientOptions),
  sign: (options) => signWorker(options as SignOptions),
  notify: (options) => notifyWorker(options as NotifyOptions),
  sql: (options) => sqlWorker(options as SqlOptions),
  store: (options) => storeWorker(options as StoreOptions),
  codec: (options) => codecWorker(options as Parameters<typeof codecWorker>[0]),
};
