import { join } from "node:path";
import { connectOverlord, type OverlordConnection } from "../../server/client/connection";
import { followCall } from "../../server/client/followJob";
import { stopOverlord } from "../../server/client/stopOverlord";
import { atMost, told, type BenchRow } from "./benchRow";
import type { BenchContext, Benchmark } from "./benchmark";
import { cpuMsOf, memoryOf } from "./processTimes";
import { startProvisionedFleet, type ProvisionedFleet } from "./provisionedFleet";
import { startProvisionedTree, type ProvisionedTree } from "./provisionedTree";
import { requestMeter } from "./requestMeter";
import { median, spread } from "./statistics";

const MOST_OF_FLAT = 1 / 8;
const MOST_CPU_S = 3;
const MOST_MB = 250;
const MOST_CALL_CPU_S = 1;
const MOST_CALL_MB = 150;
/**
 * Handshakes at the same time, below all hops together, of very many minions: they have the same two cores as the hops,
 * which ten times the default would keep from ending any within its limit.
 */
const AT_ONCE_BELOW = 160;
const VERY_MANY = 10_000;
const TIMEOUT_MS = 10 * 60_000;

interface Run {
  wallMs: number;
  cpuMs: number;
  peakKb: number;
  requests: number;
}

interface Call {
  /** How many have to answer. */
  size: number;
  delegate: boolean;
  /** Kept in memory only. */
  background?: boolean;
  /** Of each overlord; default its own. */
  nforks?: number;
}

interface Runs {
  cold: Run[];
  held: Run[];
}

/** Target T11: what a call costs the top, flat and through sub-overlords. */
export const treeBenchmark: Benchmark = {
  name: "tree",
  what: "100 and 1,000 minions, directly and through 10 sub-overlords: what a call costs at the top",
  async *run(context) {
    yield* compare(context, 100, [10]);
    yield* compare(context, 1_000, [10]);
  },
};

/** As `treeBenchmark`, with as many minions as are meant to be managed at most. */
export const largeTreeBenchmark: Benchmark = {
  name: "largetree",
  what: "10,000 minions, directly and through 10 and 100 sub-overlords; takes half an hour and 12 GB",
  onlyNamed: true,
  async *run(context) {
    yield* compare(context, 10_000, [10, 100]);
  },
};

async function* compare(
  context: BenchContext,
  size: number,
  widths: readonly number[],
): AsyncGenerator<BenchRow> {
  const { dist, signal, folder } = context;
  context.progress(`starting ${size} minions`);
  const flat = await startProvisionedFleet({
    size,
    dist,
    signal,
    namePrefix: "leaf",
    dataDirectory: join(folder, `flat${size}`),
  });
  try {
    const direct = await measure(context, flat, { size, delegate: false });
    yield* rows(`${size} minions directly`, direct);
    for (const width of widths) {
      context.progress(`starting ${width} sub-overlords`);
      const tree = await startProvisionedTree(flat, width, {
        folder: join(folder, `tree${size}-${width}`),
        dist,
        signal,
      });
      try {
        yield* compareTree(context, tree, { size, width, direct });
      } finally {
        await tree.close();
      }
    }
  } finally {
    await flat.close();
  }
}

async function* compareTree(
  context: BenchContext,
  tree: ProvisionedTree,
  { size, width, direct }: { size: number; width: number; direct: Runs },
): AsyncGenerator<BenchRow> {
  const what = `${size} minions through ${width}`;
  await tree.startOverlords();
  const before = await tree.jobsBelow();
  const wanted = {
    size,
    delegate: true,
    ...(size >= VERY_MANY && { nforks: Math.max(1, Math.round(AT_ONCE_BELOW / width)) }),
  };
  const runs = await measure(context, tree.top, wanted);
  const calls = runs.cold.length + runs.held.length;
  const starts = ((await tree.jobsBelow()) - before) / calls;
  yield* rows(what, runs);
  yield atMost(width, { name: `${what}, starts from the top`, value: starts, unit: "per call" });
  const cpu = cpuSeconds(runs.held);
  if (size < VERY_MANY) {
    yield atMost(MOST_OF_FLAT, {
      name: `T11 ${what}, the top's CPU against directly`,
      value: cpu / cpuSeconds(direct.held),
      unit: "x",
      details: "held connections, with the store",
    });
    return;
  }
  yield atMost(MOST_CPU_S, {
    name: `${what}, the top's CPU with the store`,
    value: cpu,
    unit: "s",
  });
  yield atMost(MOST_MB, {
    name: `${what}, the top's peak memory with the store`,
    value: peakMb(runs.held),
    unit: "MB",
  });
  const alone = await measure(context, tree.top, { ...wanted, background: true });
  yield atMost(MOST_CALL_CPU_S, {
    name: `${what}, the top's CPU for the call alone`,
    value: cpuSeconds(alone.held),
    unit: "s",
  });
  yield atMost(MOST_CALL_MB, {
    name: `${what}, the top's peak memory for the call alone`,
    value: peakMb(alone.held),
    unit: "MB",
  });
}

function* rows(what: string, { cold, held }: Runs): Generator<BenchRow> {
  for (const [name, runs] of [
    ["first call of the overlord", cold],
    ["held connections", held],
  ] as const) {
    const seconds = runs.map(({ wallMs }) => wallMs / 1_000);
    yield told({
      name: `${what}, ${name}`,
      value: median(seconds),
      unit: "s",
      details: `${spread(seconds)} s; the top's CPU ${spread(runs.map(({ cpuMs }) => cpuMs))} ms, peak ${peakMb(runs).toFixed(0)} MB, ${median(runs.map(({ requests }) => requests))} requests of it`,
    });
  }
}

/** Calls all minions that stand below, twice for each overlord of `top`. */
async function measure(context: BenchContext, top: ProvisionedFleet, wanted: Call): Promise<Runs> {
  const runs: Runs = { cold: [], held: [] };
  const meter = await requestMeter(context);
  for (let round = 0; round < context.rounds; round++) {
    context.progress(`round ${round + 1} of ${context.rounds}`);
    await stopOverlord(top.target, true);
    const { launch } = top.target;
    const connection = await connectOverlord({
      ...top.target,
      launch: { ...launch, env: meter.env },
      signal: context.signal,
    });
    try {
      for (const list of [runs.cold, runs.held]) {
        await meter.ask(connection.hello.pid);
        const run = await call(connection, wanted);
        list.push({ ...run, requests: await meter.ask(connection.hello.pid) });
      }
    } finally {
      connection.dispose();
    }
  }
  return runs;
}

async function call(
  connection: OverlordConnection,
  { size, delegate, background = false, nforks }: Call,
): Promise<Omit<Run, "requests">> {
  const { pid } = connection.hello;
  const before = cpuMsOf(pid);
  const start = performance.now();
  const params = {
    spec: "leaf*",
    module: "test",
    method: "ping",
    args: [],
    timeoutMs: TIMEOUT_MS,
    ...(nforks !== undefined && { nforks }),
    ...(delegate && { delegate }),
    ...(background && { background }),
  };
  const { counts } = await followCall(connection, params, { onResult: () => undefined });
  const wallMs = performance.now() - start;
  if (counts.succeeded !== size) throw new Error(`not all answered: ${JSON.stringify(counts)}`);
  return { wallMs, cpuMs: cpuMsOf(pid) - before, peakKb: memoryOf(pid).peakKb };
}

function cpuSeconds(runs: readonly Run[]): number {
  return median(runs.map(({ cpuMs }) => cpuMs)) / 1_000;
}

function peakMb(runs: readonly Run[]): number {
  return median(runs.map(({ peakKb }) => peakKb)) / 1_024;
}
