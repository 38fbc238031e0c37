// npm run bench [-- --only NAME[,NAME...]] [--rounds N] [--json FILE]: measures, and says which goals are met.
// Each row is a line of JSON on stdout as soon as it is known; the table follows at the end.
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { FuncError, messageOf } from "../server/common/errors";
import { table, type BenchRow } from "../test/bench/benchRow";
import { runBenchmark } from "../test/bench/benchmark";
import { BENCHMARKS, WORKERS } from "../test/bench/benchmarks";
import { dist } from "./localOverlord";
import { runScript } from "./runScript";

/** Enough for a median that one disturbance does not move. */
const DEFAULT_ROUNDS = 7;

const [, , word, workerName = "", optionsFile = ""] = process.argv;
if (word === "worker") {
  const options: unknown = JSON.parse(readFileSync(optionsFile, "utf8"));
  void WORKERS[workerName]?.(options).catch((error: unknown) => {
    process.stderr.write(`${workerName}: ${messageOf(error)}\n`);
    process.exit(1);
  });
} else {
  void runScript(bench);
}

async function bench(signal: AbortSignal): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: "string" },
      json: { type: "string" },
      rounds: { type: "string" },
      list: { type: "boolean" },
    },
  });
  if (values.list) {
    for (const { name, what } of BENCHMARKS) process.stdout.write(`${name.padEnd(10)} ${what}\n`);
    return;
  }
  const wanted =
    values.only?.split(",") ??
    BENCHMARKS.filter(({ onlyNamed }) => !onlyNamed).map(({ name }) => name);
  const unknown = wanted.filter((name) => !BENCHMARKS.some((known) => known.name === name));
  if (unknown.length > 0) {
    throw new FuncError(
      "bad-argument",
      `There is no benchmark ${unknown.join(", ")}.`,
      `There are: ${BENCHMARKS.map(({ name }) => name).join(", ")}`,
    );
  }
  const rounds = Number(values.rounds ?? DEFAULT_ROUNDS);
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new FuncError("bad-argument", "--rounds is a whole number from 1.");
  }
  const rows: BenchRow[] = [];
  for (const benchmark of BENCHMARKS) {
    if (!wanted.includes(benchmark.name)) continue;
    const progress = (text: string): void => void process.stderr.write(`${text}\n`);
    await runBenchmark(benchmark, { signal, dist, rounds, progress }, (row) => {
      rows.push(row);
      process.stdout.write(`${JSON.stringify(row)}\n`);
    }).catch((error: unknown) => {
      throw signal.aborted ? new FuncError("cancelled", "The benchmark was interrupted.") : error;
    });
  }
  process.stdout.write(`\n${table(rows)}`);
  if (values.json !== undefined) {
    writeFileSync(values.json, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  }
}
