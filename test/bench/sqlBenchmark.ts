import { join } from "node:path";
import { atMost, notMeasured } from "./benchRow";
import type { BenchContext, Benchmark } from "./benchmark";
import type { SqlOptions } from "./sqlWorker";
import { interleaved, pairedRatio, pairs, spread } from "./statistics";
import { startWorker } from "./worker";

const MOST = 0.33;
const ROWS = 10_000;

/** Target T8: what it costs to put results into a database. */
export const sqlBenchmark: Benchmark = {
  name: "sql",
  what: "rows of 2 KB inserted with sql.js, as we do it and as its documentation does",
  async *run(context) {
    const ours = await inserting(context, "ours");
    const plain = await inserting(context, "plain");
    for (const measure of [ours, plain]) await measure(); // warm
    const times = await interleaved(context.rounds, { ours, plain });
    yield atMost(MOST, {
      name: "T8 batched insert / sql.js as documented",
      value: pairedRatio(pairs(times.ours, times.plain)),
      unit: "CPU time",
      details: `${spread(times.ours, 1)} against ${spread(times.plain, 1)} us a row`,
    });
    const why = "no native SQLite is among our dependencies";
    yield notMeasured("T8 batched insert / better-sqlite3", "<= 1.5", "CPU time", why);
  },
};

/** us for one row. */
async function inserting(
  context: BenchContext,
  library: SqlOptions["library"],
): Promise<() => Promise<number>> {
  const options: SqlOptions = { library, wasmFile: join(context.dist, "sql-wasm.wasm") };
  const worker = await startWorker(context, "sql", options);
  return async () => (Number(await worker.ask({ rows: ROWS })) * 1_000) / ROWS;
}
