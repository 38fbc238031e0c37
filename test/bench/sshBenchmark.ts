import type { OverlordConnection } from "../../server/client/connection";
import { followCall } from "../../server/client/followJob";
import { stopOverlord } from "../../server/client/stopOverlord";
import { atLeast, atMost, notMeasured, told, type BenchRow } from "./benchRow";
import type { BenchContext, Benchmark } from "./benchmark";
import { ensurePrograms } from "./debianPackages";
import { costOf } from "./processCost";
import { cpuMsOf } from "./processTimes";
import { startProvisionedFleet, type ProvisionedFleet } from "./provisionedFleet";
import {
  SSH_HOST_RANGE,
  SSH_HOSTS,
  startSshHosts,
  type SshHosts,
  type SshVariant,
} from "./sshHosts";
import { interleaved, median, pairedRatio, pairs, spread } from "./statistics";

const TARGETS = SSH_HOSTS.length;
const FAN_OUT = "64";
/** Of the rounds of a connected client: as many to warm up, and as many that count. */
const HELD_ROUNDS = 10;
const PROGRAMS = {
  clush: "clustershell",
  pdsh: "pdsh",
  ssh: "openssh-client",
  sshd: "openssh-server",
};
const LEAST = { default: 10, curve25519: 4, persist: 3 };
const MOST_CPU_FRESH = 0.2;
const MOST_CPU_HELD = 0.02;

/** A run on all targets: time, and CPU time of the calling side. */
interface Run {
  wallMs: number;
  cpuMs: number;
}

/** Targets T4 and T5: `hostname` on 100 targets, against what people use today. */
export const sshBenchmark: Benchmark = {
  name: "ssh",
  what: "hostname on 100 targets against clush and pdsh over a local sshd",
  async *run(context) {
    const missing = await ensurePrograms(PROGRAMS, context.signal);
    if (missing !== undefined) {
      yield notMeasured("T4 100 targets, clush / func", `>= ${LEAST.default}`, "time", missing);
      yield notMeasured(
        "T5 CPU per target, func / clush",
        `<= ${MOST_CPU_FRESH}`,
        "CPU time",
        missing,
      );
      return;
    }
    context.progress("starting 100 minions and sshd on 100 addresses");
    const fleet = await startProvisionedFleet({
      size: TARGETS,
      dist: context.dist,
      signal: context.signal,
    });
    context.onEnd(() => fleet.close());
    const hosts = await startSshHosts(context);
    context.onEnd(() => hosts.forget());
    yield* rows(await measure(context, fleet, hosts));
  },
};

type Runs = Record<
  | "funcFresh"
  | "funcHeld"
  | "round"
  | "clushDefault"
  | "pdshDefault"
  | "clushCurve25519"
  | "pdshCurve25519"
  | "clushPersist",
  Run[]
>;

async function measure(
  context: BenchContext,
  fleet: ProvisionedFleet,
  hosts: SshHosts,
): Promise<Runs> {
  const { rounds } = context;
  const step =
    <T>(name: string, work: () => Promise<T>) =>
    (round: number): Promise<T> => {
      context.progress(`round ${round + 1} of ${rounds}, ${name}`);
      return work();
    };
  await clush(context, hosts, "persist"); // its connections are there from now on
  return interleaved<keyof Runs, Run>(rounds, {
    clushDefault: step("clush", () => clush(context, hosts, "default")),
    funcFresh: step("func", () => funcFresh(context, fleet)),
    pdshDefault: step("pdsh", () => pdsh(context, hosts, "default")),
    clushCurve25519: step("clush with curve25519", () => clush(context, hosts, "curve25519")),
    funcHeld: step("func with held connections", () => funcHeld(context, fleet)),
    round: step("a round of a connected client", () => heldRound(context, fleet)),
    clushPersist: step("clush with ControlPersist", () => clush(context, hosts, "persist")),
    pdshCurve25519: step("pdsh with curve25519", () => pdsh(context, hosts, "curve25519")),
  });
}

function* rows(runs: Runs): Generator<BenchRow> {
  const { funcFresh, funcHeld, round } = runs;
  const wall = (name: string, limit: number, theirs: Run[], ours: Run[]): BenchRow =>
    atLeast(limit, {
      name,
      value: pairedRatio(pairs(theirs.map(time), ours.map(time))),
      unit: "times as fast",
      details: `${seconds(ours)} against ${seconds(theirs)}`,
    });
  const cpu = (name: string, ours: Run[], theirs: Run[]) => ({
    name,
    value: pairedRatio(pairs(ours.map(work), theirs.map(work))),
    unit: "CPU time",
    details: `${perTarget(ours)} against ${perTarget(theirs)} per target`,
  });
  yield wall(
    "T4 100 targets: func, new connections / clush as installed",
    LEAST.default,
    runs.clushDefault,
    funcFresh,
  );
  yield wall(
    "T4 100 targets: func, new connections / pdsh as installed",
    LEAST.default,
    runs.pdshDefault,
    funcFresh,
  );
  yield wall(
    "T4 100 targets: func, new connections / clush, curve25519",
    LEAST.curve25519,
    runs.clushCurve25519,
    funcFresh,
  );
  yield wall(
    "T4 100 targets: func, new connections / pdsh, curve25519",
    LEAST.curve25519,
    runs.pdshCurve25519,
    funcFresh,
  );
  yield wall(
    "T4 100 targets: func, held / clush, ControlPersist",
    LEAST.persist,
    runs.clushPersist,
    funcHeld,
  );
  yield atMost(
    MOST_CPU_FRESH,
    cpu("T5 func, new connections / clush, curve25519", funcFresh, runs.clushCurve25519),
  );
  yield atMost(
    MOST_CPU_HELD,
    cpu("T5 a connected client, held / clush, ControlPersist", round, runs.clushPersist),
  );
  yield told(cpu("func, held, whole process / clush, ControlPersist", funcHeld, runs.clushPersist));
  yield told({
    name: "100 targets: a round of a connected client, held",
    value: median(round.map(time)) / 1_000,
    unit: "s",
  });
}

const time = (run: Run): number => run.wallMs;
const work = (run: Run): number => run.cpuMs;

function seconds(runs: readonly Run[]): string {
  return `${spread(runs.map(({ wallMs }) => wallMs / 1_000))} s`;
}

function perTarget(runs: readonly Run[]): string {
  return `${spread(runs.map(({ cpuMs }) => cpuMs / TARGETS))} ms`;
}

async function clush(context: BenchContext, hosts: SshHosts, variant: SshVariant): Promise<Run> {
  const options = `-F ${hosts.configuration(variant)}`;
  const run = await costOf(
    ["clush", "-f", FAN_OUT, "-o", options, "-w", SSH_HOST_RANGE, "hostname"],
    context,
  );
  return checked("clush", run);
}

async function pdsh(context: BenchContext, hosts: SshHosts, variant: SshVariant): Promise<Run> {
  const env = { ...process.env, PDSH_SSH_ARGS_APPEND: `-F ${hosts.configuration(variant)}` };
  const run = await costOf(["pdsh", "-R", "ssh", "-f", FAN_OUT, "-w", SSH_HOST_RANGE, "hostname"], {
    ...context,
    env,
  });
  return checked("pdsh", run);
}

/** The overlord runs, as it does for users, and has no connection and no TLS session yet. */
async function funcFresh(context: BenchContext, fleet: ProvisionedFleet): Promise<Run> {
  await stopOverlord(fleet.target, true);
  return funcRun(context, fleet, await fleet.connect());
}

async function funcHeld(context: BenchContext, fleet: ProvisionedFleet): Promise<Run> {
  const connection = await fleet.connect();
  await roundOf(connection);
  return funcRun(context, fleet, connection);
}

async function funcRun(
  context: BenchContext,
  { dataDirectory }: ProvisionedFleet,
  connection: OverlordConnection,
): Promise<Run> {
  const { pid } = connection.hello;
  const before = cpuMsOf(pid);
  const command = [process.execPath, `${context.dist}/func.js`, "--home", dataDirectory];
  const run = await costOf(
    [...command, "-f", FAN_OUT, "*", "call", "command", "run", "hostname"],
    context,
  );
  const cpuMs = run.cpuMs + cpuMsOf(pid) - before;
  connection.dispose();
  return checked("func", { ...run, cpuMs });
}

/** As from the editor, which stays connected and calls again and again: CPU time of overlord and client. */
async function heldRound(_context: BenchContext, fleet: ProvisionedFleet): Promise<Run> {
  const connection = await fleet.connect();
  try {
    for (let turn = 0; turn < HELD_ROUNDS; turn++) await roundOf(connection);
    const { pid } = connection.hello;
    const before = cpuMsOf(pid);
    const own = process.cpuUsage();
    const start = performance.now();
    for (let turn = 0; turn < HELD_ROUNDS; turn++) await roundOf(connection);
    const wallMs = performance.now() - start;
    const { user, system } = process.cpuUsage(own);
    const cpuMs = cpuMsOf(pid) - before + (user + system) / 1_000;
    return { wallMs: wallMs / HELD_ROUNDS, cpuMs: cpuMs / HELD_ROUNDS };
  } finally {
    connection.dispose();
  }
}

async function roundOf(connection: OverlordConnection): Promise<void> {
  const params = {
    spec: "*",
    module: "command",
    method: "run",
    args: ["hostname"],
    nforks: Number(FAN_OUT),
  };
  const { counts } = await followCall(connection, params, { onResult: () => undefined });
  if (counts.succeeded !== TARGETS)
    throw new Error(`not all minions answered: ${JSON.stringify(counts)}`);
}

/** A run that did not reach every target is no measurement. */
function checked(name: string, { stdout, ...run }: Run & { stdout: string }): Run {
  const lines = stdout.split("\n").filter((line) => line.trim() !== "").length;
  if (lines < TARGETS) throw new Error(`${name} printed ${lines} lines for ${TARGETS} targets`);
  return { wallMs: run.wallMs, cpuMs: run.cpuMs };
}
