import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { BenchContext } from "./benchmark";

/** How late the overlord's event loop was, in ms. */
export interface LoopDelay {
  p50: number;
  p99: number;
  max: number;
}

const RESOLUTION_MS = 5;
const PATIENCE_MS = 10_000;

/**
 * Has the delay of a process's event loop measured: give `env` to it, and ask once it runs. What is told
 * is what happened since the last time.
 */
export async function loopMeter(context: BenchContext): Promise<{
  env: { [name: string]: string };
  ask: (pid: number) => Promise<LoopDelay>;
}> {
  const script = join(context.folder, "loop-meter.cjs");
  const report = join(context.folder, "loop-delay.json");
  await writeFile(script, meterScript(report));
  const ask = async (pid: number): Promise<LoopDelay> => {
    await rm(report, { force: true });
    process.kill(pid, "SIGUSR2");
    const until = Date.now() + PATIENCE_MS;
    while (Date.now() < until) {
      const text = await readFile(report, "utf8").catch(() => "");
      if (text.endsWith("\n")) return JSON.parse(text) as LoopDelay;
      await sleep(20);
    }
    throw new Error("the overlord does not tell how late its event loop was");
  };
  return { env: { NODE_OPTIONS: `--require ${script}` }, ask };
}

function meterScript(report: string): string {
  return `
const { monitorEventLoopDelay } = require("node:perf_hooks");
const { writeFileSync } = require("node:fs");
const histogram = monitorEventLoopDelay({ resolution: ${RESOLUTION_MS} });
histogram.enable();
const late = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - ${RESOLUTION_MS});
process.on("SIGUSR2", () => {
  const delay = {
    p50: late(histogram.percentile(50)),
    p99: late(histogram.percentile(99)),
    max: late(histogram.max),
  };
  writeFileSync(${JSON.stringify(report)}, JSON.stringify(delay) + "\\n");
  histogram.reset();
});
`;
}
