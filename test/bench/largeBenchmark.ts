import { followCall } from "../../server/client/followJob";
import { stopOverlord } from "../../server/client/stopOverlord";
import type { MinionResult } from "../../server/protocol/jobs";
import { atMost, told } from "./benchRow";
import type { Benchmark } from "./benchmark";
import { cpuMsOf, memoryOf } from "./processTimes";
import { startProvisionedFleet } from "./provisionedFleet";
import { median, spread } from "./statistics";

const BYTES = 100_000_000;
const MOST_MB = 400;
const MINIONS = 4;
const TIMEOUT_MS = 300_000;

/** What a result of 100 MB takes from the overlord. */
export const largeBenchmark: Benchmark = {
  name: "large",
  what: "results of 100 MB: the overlord's memory and time",
  async *run(context) {
    const { dist, signal } = context;
    const fleet = await startProvisionedFleet({ size: MINIONS, perProcess: 1, dist, signal });
    context.onEnd(() => fleet.close());
    const times: number[] = [];
    const peaks: number[] = [];
    const cpu: number[] = [];
    for (let round = 0; round < context.rounds; round++) {
      context.progress(`round ${round + 1} of ${context.rounds}`);
      await stopOverlord(fleet.target, true);
      const connection = await fleet.connect();
      const { pid } = connection.hello;
      const before = cpuMsOf(pid);
      const begin = performance.now();
      const results: MinionResult[] = [];
      const command = `yes 'a line of <text> & more' | head -c ${BYTES}`;
      const params = { spec: "*", module: "command", method: "run", args: [command] };
      await followCall(
        connection,
        { ...params, timeoutMs: TIMEOUT_MS },
        { onResult: (result) => void results.push(result) },
      );
      times.push((performance.now() - begin) / 1_000);
      cpu.push((cpuMsOf(pid) - before) / 1_000);
      peaks.push(memoryOf(pid).peakKb / 1_024);
      connection.dispose();
      const bad = results.find(({ state }) => state !== "succeeded");
      if (bad || results.length !== MINIONS) throw new Error(`no result: ${JSON.stringify(bad)}`);
    }
    yield atMost(MOST_MB, {
      name: `the overlord's peak memory, ${MINIONS} results of 100 MB at once`,
      value: median(peaks),
      unit: "MB",
      details: spread(peaks, 0),
    });
    yield told({
      name: `${MINIONS} results of 100 MB at once`,
      value: median(times),
      unit: "s",
      details: `${spread(times, 1)} s with the minions on the same cores; the overlord's CPU ${spread(cpu, 1)} s`,
    });
  },
};
