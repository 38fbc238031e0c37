// npm run chaos -- [--jobs N] [--minions M | --tree 2x3x4] [--seed S] [--minutes N] [--json FILE] [--without FAULT]: jobs on real
// processes that are killed and cut off all the time; then compares what the overlord says with what the work left.
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { FuncError } from "../server/common/errors";
import { runChaos, type ChaosReport } from "../test/chaos/chaosRun";
import { dist } from "./localOverlord";
import { runScript } from "./runScript";

const DEFAULT_JOBS = 100;
const DEFAULT_MINIONS = 10;
const MAX_SHOWN = 50;

void runScript(async (signal) => {
  const { values } = parseArgs({
    options: {
      jobs: { type: "string" },
      minions: { type: "string" },
      tree: { type: "string" },
      seed: { type: "string" },
      minutes: { type: "string" },
      gap: { type: "string" },
      "at-once": { type: "string" },
      without: { type: "string", multiple: true },
      json: { type: "string" },
    },
  });
  const number = (name: Exclude<keyof typeof values, "without">, otherwise: number): number => {
    const value = Number(values[name] ?? otherwise);
    if (value > 0) return value;
    throw new FuncError("bad-argument", `--${name} is a number above 0.`);
  };
  const seed = Math.floor(number("seed", 1 + Math.floor(Math.random() * 2 ** 31)));
  const minutes = values.minutes === undefined ? undefined : number("minutes", 1);
  const options = {
    seed,
    jobs:
      minutes === undefined || values.jobs !== undefined ? number("jobs", DEFAULT_JOBS) : Infinity,
    tree: values.tree === undefined ? [number("minions", DEFAULT_MINIONS)] : widths(values.tree),
    dist,
    ...(minutes !== undefined && { forMs: minutes * 60_000 }),
    meanGapMs: number("gap", 150),
    atOnce: number("at-once", 8),
    ...(values.without && { without: values.without }),
    signal,
    progress: (text: string) => void process.stderr.write(`${text}\n`),
  };
  process.stderr.write(`seed ${seed}\n`);
  const report = await runChaos(options);
  process.stdout.write(textOf(report));
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
  if (report.violations.length > 0) {
    throw new FuncError(
      "internal",
      `${report.violations.length} promises were broken.`,
      `To repeat: npm run chaos -- --jobs ${report.jobs + report.neverBegun} --tree ${options.tree.join("x")} --seed ${seed} --gap ${options.meanGapMs} --at-once ${options.atOnce}`,
    );
  }
});

function widths(text: string): number[] {
  const all = text.split("x").map(Number);
  if (all.every((width) => Number.isInteger(width) && width > 0)) return all;
  throw new FuncError("bad-argument", "--tree is numbers above 0 such as 2x3x4.");
}

function textOf(report: ChaosReport): string {
  const { violations, ...figures } = report;
  const lines = Object.entries(figures).map(
    ([name, value]) =>
      `${name.padEnd(15)} ${typeof value === "object" ? JSON.stringify(value) : String(value)}\n`,
  );
  const shown = violations.slice(0, MAX_SHOWN).map((violation) => `BROKEN: ${violation}\n`);
  return `${lines.join("")}violations      ${violations.length}\n${shown.join("")}`;
}
