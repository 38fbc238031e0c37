import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, watch, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { atMost, told, type BenchRow } from "./benchRow";
import type { BenchContext, Benchmark } from "./benchmark";
import { costOf } from "./processCost";
import { cpuMsOf } from "./processTimes";
import { startProvisionedFleet, type ProvisionedFleet } from "./provisionedFleet";
import { interleaved, median, pairedRatio, pairs, spread } from "./statistics";

const LEAST_ROUNDS = 15;
const MINIONS = 100;
const MOST = 1.5;

interface Start {
  wallMs: number;
  cpuMs: number;
}

/** Target T13: from the start of the process until it is of use. */
export const startBenchmark: Benchmark = {
  name: "start",
  what: "start of the overlord, of func and of the extension against node -e 0",
  async *run(context) {
    const { dist, signal } = context;
    const fleet = await startProvisionedFleet({ size: MINIONS, dist, signal, start: false });
    context.onEnd(() => fleet.close());
    await overlord(context, fleet); // whatever only the first one does
    const { node, ready, version, extension } = await interleaved(
      Math.max(LEAST_ROUNDS, context.rounds),
      {
        node: () => costOf([process.execPath, "-e", "0"], context),
        ready: () => overlord(context, fleet),
        version: () => costOf([process.execPath, join(dist, "func.js"), "--version"], context),
        extension: () => requireExtension(context),
      },
    );
    yield start("T13 overlord ready / node -e 0", ready, node);
    yield start("func --version / node -e 0", version, node);
    const extensionMs = extension.map(({ wallMs }) => wallMs);
    yield told({
      name: "extension.js, time to load",
      value: median(extensionMs),
      unit: "ms",
      details: spread(extensionMs, 1),
    });
  },
};

function start(name: string, ours: readonly Start[], node: readonly Start[]): BenchRow {
  const of = (runs: readonly Start[], key: keyof Start): number[] => runs.map((run) => run[key]);
  const cpuRatio = pairedRatio(pairs(of(ours, "cpuMs"), of(node, "cpuMs")));
  return atMost(MOST, {
    name,
    value: pairedRatio(pairs(of(ours, "wallMs"), of(node, "wallMs"))),
    unit: "time",
    details: `${spread(of(ours, "wallMs"), 0)} against ${spread(of(node, "wallMs"), 0)} ms; CPU time ${cpuRatio.toFixed(2)} times`,
  });
}

/** Until clients can connect: until `<data>/endpoint` is there. */
async function overlord(
  { dist, signal }: BenchContext,
  { dataDirectory }: ProvisionedFleet,
): Promise<Start> {
  const endpoint = join(dataDirectory, "endpoint");
  await rm(endpoint, { force: true });
  const there = new Promise<void>((resolve) => {
    const watcher = watch(dataDirectory, () => {
      if (!existsSync(endpoint)) return;
      watcher.close();
      resolve();
    });
  });
  const begin = performance.now();
  const child = spawn(process.execPath, [join(dist, "overlord.js"), "--home", dataDirectory], {
    stdio: "ignore",
    signal,
  });
  child.on("error", () => undefined);
  const gone = once(child, "exit");
  await Promise.race([
    there,
    gone.then(() => {
      throw new Error("the overlord ended early");
    }),
  ]);
  const wallMs = performance.now() - begin;
  const cpuMs = cpuMsOf(child.pid ?? 0);
  child.kill("SIGTERM");
  await gone;
  return { wallMs, cpuMs };
}

/** What activating the extension adds before any of it runs; `vscode` itself stays out of it. */
async function requireExtension(context: BenchContext): Promise<Start> {
  const script = join(context.folder, "load.cjs");
  writeFileSync(
    script,
    `const { Module } = require("node:module");
const load = Module._load;
class Anything {}
const vscode = new Proxy(Anything, { get: (target, key) => key === "prototype" ? target.prototype : vscode });
Module._load = (name, ...rest) => name === "vscode" ? vscode : load(name, ...rest);
const start = performance.now();
require(${JSON.stringify(join(context.dist, "extension.js"))});
process.stdout.write(String(performance.now() - start));
`,
  );
  const { cpuMs, stdout } = await costOf([process.execPath, script], context);
  return { wallMs: Number(stdout), cpuMs };
}
