import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BenchRow } from "./benchRow";

/** What a benchmark works with. */
export interface BenchContext {
  /** Aborted by Ctrl-C: whatever is under way ends. */
  readonly signal: AbortSignal;
  /** A folder of its own, removed afterwards. */
  readonly folder: string;
  /** Where the bundles are that users run. */
  readonly dist: string;
  /** How often each comparison is made. */
  readonly rounds: number;
  /** Registers what has to end with the benchmark; the last one goes first. */
  onEnd(close: () => Promise<void> | void): void;
  /** Tells the user what goes on. */
  progress(text: string): void;
}

/** Measurements that are taken together. Gives its rows as it has them. */
export interface Benchmark {
  name: string;
  what: string;
  /** Too long, or too large, to run unless it is named. */
  onlyNamed?: true;
  run(context: BenchContext): AsyncIterable<BenchRow>;
}

/** Runs one benchmark; when it is over, for whatever reason, nothing of it is left. */
export async function runBenchmark(
  benchmark: Benchmark,
  options: Pick<BenchContext, "signal" | "dist" | "rounds" | "progress">,
  onRow: (row: BenchRow) => void,
): Promise<void> {
  const { signal, dist, rounds } = options;
  const folder = await mkdtemp(join(tmpdir(), "func-bench-"));
  const closers: (() => Promise<void> | void)[] = [
    () => rm(folder, { recursive: true, force: true, maxRetries: 5 }),
  ];
  const context: BenchContext = {
    signal,
    folder,
    dist,
    rounds,
    onEnd: (close) => closers.push(close),
    progress: (text) => {
      options.progress(`${benchmark.name}: ${text}`);
    },
  };
  try {
    for await (const row of benchmark.run(context)) {
      onRow(row);
      signal.throwIfAborted();
    }
  } finally {
    for (const close of closers.reverse()) await close();
  }
}
