import { readFileSync } from "node:fs";
import { connectOverlord, type OverlordConnection } from "../../server/client/connection";
import { followCall } from "../../server/client/followJob";
import { stopOverlord } from "../../server/client/stopOverlord";
import type { MinionResult } from "../../server/protocol/jobs";
import { atMost, told, type BenchRow } from "./benchRow";
import type { Benchmark } from "./benchmark";
import { cpuMsOf, memoryOf } from "./processTimes";
import { startProvisionedFleet } from "./provisionedFleet";
import { requestMeter } from "./requestMeter";
import { median, spread } from "./statistics";

const SIZE = 1_000;
/** Works for 1 to 5 seconds and says when it was done, in ns. */
const COMMAND = "sleep $(($$ % 5 + 1)); date +%s%N";
const MOST_REQUESTS = 3;
const MOST_MS = 300;

interface Round {
  /** From the end of the last command to the client's knowing that the job has finished. */
  lagMs: number;
  requests: number;
  cpuMs: number;
  writtenBytes: number;
}

/** One async job on 1,000 minions, from the last one's end to the end of the job. */
export const jobsBenchmark: Benchmark = {
  name: "jobs",
  what: "1,000 minions with an async job of 1 to 5 s each: how late its end is known, and what it costs",
  async *run(context) {
    const { dist, signal, rounds } = context;
    context.progress(`starting ${SIZE} minions`);
    const fleet = await startProvisionedFleet({ size: SIZE, dist, signal });
    context.onEnd(() => fleet.close());
    const meter = await requestMeter(context);
    await stopOverlord(fleet.target, true);
    const { launch } = fleet.target;
    const connection = await connectOverlord({
      ...fleet.target,
      launch: { ...launch, env: meter.env },
    });
    context.onEnd(() => {
      connection.dispose();
    });
    const { pid } = connection.hello;
    await job(connection); // the first one makes the connections
    const measured: Round[] = [];
    for (let round = 0; round < rounds; round++) {
      context.progress(`round ${round + 1} of ${rounds}`);
      await meter.ask(pid);
      const cpuBefore = cpuMsOf(pid);
      const writtenBefore = writtenBytes(pid);
      const lagMs = await job(connection);
      // what is said to minions afterwards counts as well
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      measured.push({
        lagMs,
        requests: (await meter.ask(pid)) / SIZE,
        cpuMs: (cpuMsOf(pid) - cpuBefore) / SIZE,
        writtenBytes: (writtenBytes(pid) - writtenBefore) / SIZE,
      });
    }
    yield* rows(measured, memoryOf(pid).peakKb);
  },
};

function* rows(measured: readonly Round[], peakKb: number): Generator<BenchRow> {
  const of = (field: keyof Round): number[] => measured.map((round) => round[field]);
  yield atMost(MOST_MS, {
    name: "1,000 async jobs: from the last one's end to FINISHED",
    value: median(of("lagMs")),
    unit: "ms",
    details: `${spread(of("lagMs"))} ms with the minions on the same cores`,
  });
  yield atMost(MOST_REQUESTS, {
    name: "requests per minion",
    value: median(of("requests")),
    unit: "",
    details: `start, wait, acknowledge; ${spread(of("requests"))}`,
  });
  yield told({
    name: "the overlord's CPU per minion",
    value: median(of("cpuMs")),
    unit: "ms",
    details: `${spread(of("cpuMs"))} ms; peak memory ${(peakKb / 1_024).toFixed(0)} MB`,
  });
  yield told({
    name: "bytes written to the disk per result",
    value: median(of("writtenBytes")),
    unit: "B",
    details: `journal, databases and log; ${spread(of("writtenBytes"))}`,
  });
}

/** How much later than the last command's end the client knew of the job's. */
async function job(connection: OverlordConnection): Promise<number> {
  const results: MinionResult[] = [];
  let finishedAtMs = 0;
  const params = {
    spec: "*",
    module: "command",
    method: "run",
    args: [COMMAND],
    async: true,
    nforks: 200,
  };
  const { counts } = await followCall(connection, params, {
    onResult: (result) => void results.push(result),
    onFinished: () => {
      finishedAtMs = Date.now();
    },
  });
  if (counts.succeeded !== SIZE) throw new Error(`not all answered: ${JSON.stringify(counts)}`);
  const ends = results.map(({ value }) => Number(Array.isArray(value) ? value[1] : NaN) / 1e6);
  return finishedAtMs - Math.max(...ends);
}

/** What a process has caused to be written to disks. */
function writtenBytes(pid: number): number {
  const text = readFileSync(`/proc/${pid}/io`, "utf8");
  return Number(/^write_bytes: (\d+)/m.exec(text)?.[1]);
}
