import { badMinionsBenchmark } from "./badMinions";
import type { Benchmark } from "./benchmark";
import { codecBenchmark } from "./codecBenchmark";
import { codecWorker } from "./codecWorker";
import { wireBenchmark } from "./wireBenchmark";
import { wireClientWorker, type WireClientOptions } from "./wireClientWorker";
import { wireServerWorker, type WireServerOptions } from "./wireServerWorker";

/** In the order in which they run. */
export const BENCHMARKS: readonly Benchmark[] = [
  wireBenchmark,
  codecBenchmark,
  badMinionsBenchmark,
];

/** What runs in processes of its own, by name; `options` come from startWorker or workerCommand. */
export const WORKERS: Readonly<Record<string, (options: unknown) => Promise<void>>> = {
  wireServer: (options) => wireServerWorker(options as WireServerOptions),
  wireClient: (options) => wireClientWorker(options as WireClientOptions),
  codec: (options) => codecWorker(options as Parameters<typeof codecWorker>[0]),
};
