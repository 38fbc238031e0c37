import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connectOverlord, type OverlordConnection } from "../../server/client/connection";
import { followCall } from "../../server/client/followJob";
import { stopOverlord } from "../../server/client/stopOverlord";
import type { JsonValue } from "../../server/protocol/value";
import { atMost, told, type BenchRow } from "./benchRow";
import type { BenchContext, Benchmark } from "./benchmark";
import { cpuMsOf, memoryOf, socketsOf } from "./processTimes";
import { startProvisionedFleet, type ProvisionedFleet } from "./provisionedFleet";
import { spread, median } from "./statistics";

const SIZE = 1_000;
/** Connections that are there before memory is looked at: what the first ones take is no connection's. */
const WARM = 100;
/** The heap grows with the work it has seen: as many calls as come afterwards, and more. */
const WARM_ROUNDS = 40;
const MOST_KB = 70;
const SETTLE_MS = 500;

interface Run {
  wallMs: number;
  cpuMs: number;
}

interface Method {
  what: string;
  module: string;
  method: string;
  args: JsonValue[];
}

const PING: Method = { what: "ping", module: "test", method: "ping", args: [] };
const COMMAND: Method = { what: "command", module: "command", method: "run", args: ["hostname"] };

/** Target T6, and how long 1,000 minions take. */
export const fleetBenchmark: Benchmark = {
  name: "fleet",
  what: "1,000 minions: ping and command, cold and held, and the memory of a held connection",
  async *run(context) {
    context.progress(`starting ${SIZE} minions`);
    const { dist, signal } = context;
    const fleet = await startProvisionedFleet({ size: SIZE, dist, signal });
    context.onEnd(() => fleet.close());
    for (const method of [PING, COMMAND]) yield* speed(context, fleet, method);
    yield await memory(context, fleet);
  },
};

async function* speed(
  context: BenchContext,
  fleet: ProvisionedFleet,
  method: Method,
): AsyncGenerator<BenchRow> {
  const { rounds } = context;
  const cold: Run[] = [];
  const held: Run[] = [];
  for (let round = 0; round < rounds; round++) {
    context.progress(`round ${round + 1} of ${rounds}, ${method.what}`);
    await stopOverlord(fleet.target, true);
    const connection = await fleet.connect();
    cold.push(await call(connection, method, "*", SIZE));
    held.push(await call(connection, method, "*", SIZE));
    connection.dispose();
  }
  yield row(`1,000 minions, ${method.what}, the overlord's first call`, cold);
  yield row(`1,000 minions, ${method.what}, held connections`, held);
}

function row(name: string, runs: readonly Run[]): BenchRow {
  const seconds = runs.map(({ wallMs }) => wallMs / 1_000);
  const cpu = runs.map(({ cpuMs }) => cpuMs / SIZE);
  return told({
    name,
    value: median(seconds),
    unit: "s",
    details: `${spread(seconds)} s with the minions on the same cores; the overlord's CPU ${spread(cpu)} ms per minion`,
  });
}

/** What each connection adds to a process that has some already, after its garbage is collected. */
async function memory(context: BenchContext, fleet: ProvisionedFleet): Promise<BenchRow> {
  context.progress("memory of held connections");
  await stopOverlord(fleet.target, true);
  const { launch } = fleet.target;
  const env = { NODE_OPTIONS: `--require ${collectOnSignal(context)}` };
  const connection = await connectOverlord({ ...fleet.target, launch: { ...launch, env } });
  const { pid } = connection.hello;
  const first = fleet.names.slice(0, WARM).join(";");
  for (let turn = 0; turn < WARM_ROUNDS; turn++) await call(connection, PING, first, WARM);
  const before = await settled(pid);
  for (let turn = 0; turn < 2; turn++) await call(connection, PING, "*", SIZE);
  const after = await settled(pid);
  connection.dispose();
  const held = after.sockets - before.sockets;
  if (held !== SIZE - WARM)
    throw new Error(`${held} more connections are held, not ${SIZE - WARM}`);
  return atMost(MOST_KB, {
    name: `T6 memory of a held connection, at ${SIZE}`,
    value: (after.residentKb - before.residentKb) / held,
    unit: "KB",
    details: `${mb(before.residentKb)} MB with ${WARM}, ${mb(after.residentKb)} MB with ${SIZE}, peak ${mb(memoryOf(pid).peakKb)} MB`,
  });
}

async function settled(pid: number): Promise<{ residentKb: number; sockets: number }> {
  for (let turn = 0; turn < 3; turn++) {
    process.kill(pid, "SIGUSR2");
    await sleep(SETTLE_MS);
  }
  return { residentKb: memoryOf(pid).residentKb, sockets: socketsOf(pid) };
}

/** A script that makes a Node collect its garbage on SIGUSR2. */
function collectOnSignal({ folder }: BenchContext): string {
  const file = join(folder, "collect.cjs");
  writeFileSync(
    file,
    `require("node:v8").setFlagsFromString("--expose-gc");
const collect = require("node:vm").runInNewContext("gc");
process.on("SIGUSR2", () => { collect(); collect(); });
`,
  );
  return file;
}

function mb(kilobytes: number): string {
  return (kilobytes / 1_024).toFixed(0);
}

async function call(
  connection: OverlordConnection,
  { module, method, args }: Method,
  spec: string,
  size: number,
): Promise<Run> {
  const { pid } = connection.hello;
  const before = cpuMsOf(pid);
  const start = performance.now();
  const params = { spec, module, method, args };
  const { counts } = await followCall(connection, params, { onResult: () => undefined });
  const wallMs = performance.now() - start;
  if (counts.succeeded !== size) throw new Error(`not all answered: ${JSON.stringify(counts)}`);
  return { wallMs, cpuMs: cpuMsOf(pid) - before };
}
