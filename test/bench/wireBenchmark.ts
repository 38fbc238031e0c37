import { atLeast, atMost, notMeasured, told, type BenchRow } from "./benchRow";
import { BenchAuthority, type BenchCredentials, type KeyKind } from "./benchCredentials";
import type { BenchContext, Benchmark } from "./benchmark";
import { costOf, perCall, workUnit, type Cost } from "./processCost";
import { interleaved, median, pairedRatio, pairs, spread } from "./statistics";
import type { WireClientOptions, WireClientReport, WireMode } from "./wireClientWorker";
import type { WireServers } from "./wireServerWorker";
import { startWorker, workerCommand } from "./worker";

const SERVERS = 256;
/** Calls of the short and of the long run: their difference is what counts. */
const CALLS: Record<WireMode, [short: number, long: number]> = {
  fresh: [512, 1_280],
  resumed: [256, 1_024],
  held: [1_024, 11_264],
  agent: [1_024, 5_120],
};
const MOST_FRESH = 1.3;
const MOST_RESUMED = 0.65;
const MOST_HELD = 0.05;
const LEAST_HELD_SPEED = 3;

/** One measurement: what a call takes from the caller's process. */
interface PerCall {
  cpuMs: number;
  work: number;
  callsPerSecond?: number;
}

/** Targets T1 to T3: what a call costs the overlord's side. */
export const wireBenchmark: Benchmark = {
  name: "wire",
  what: "fresh, resumed and held calls against openssl s_time and https.Agent",
  async *run(context) {
    const authority = await BenchAuthority.create(`${context.folder}/ca`);
    for (const kind of ["EC", "RSA"] as const) {
      const client = await authority.issue("overlord", "overlord", kind);
      const minion = await authority.issue("minion", "minion1", kind);
      const server = await startWorker<WireServers>(context, "wireServer", {
        ...minion,
        name: "minion1",
        count: SERVERS,
      });
      const setting: Setting = {
        context,
        client,
        ...server.ready,
        files: await authority.save(kind, client),
      };
      yield* kind === "EC" ? everything(setting) : freshOnly(setting, kind);
      await server.close();
    }
  },
};

interface Setting {
  context: BenchContext;
  client: BenchCredentials;
  /** The same on disk. */
  files: { key: string; certificate: string; ca: string };
  peers: WireServers["peers"];
}

async function* freshOnly(setting: Setting, kind: KeyKind): AsyncGenerator<BenchRow> {
  const runs = await interleaved(setting.context.rounds, {
    fresh: (round) => ours(setting, "fresh", round),
    openssl: () => openssl(setting),
  });
  yield freshRow(kind, runs.fresh, runs.openssl);
}

async function* everything(setting: Setting): AsyncGenerator<BenchRow> {
  const {
    fresh,
    resumed,
    held,
    agent,
    openssl: floor,
  } = await interleaved(setting.context.rounds, {
    openssl: () => openssl(setting),
    fresh: (round) => ours(setting, "fresh", round),
    resumed: (round) => ours(setting, "resumed", round),
    held: (round) => ours(setting, "held", round),
    agent: (round) => ours(setting, "agent", round),
  });
  yield freshRow("EC", fresh, floor);
  yield atMost(MOST_HELD, {
    name: "T2 held call / fresh call",
    value: ratio(held, fresh),
    unit: workUnit(),
    details: `${cpuText(held)} against ${cpuText(fresh)}`,
  });
  yield atLeast(LEAST_HELD_SPEED, {
    name: "T2 held calls / https.Agent keepAlive",
    value: 1 / ratio(held, agent),
    unit: `calls per ${workUnit()}`,
    details: `${cpuText(held)} against ${cpuText(agent)}; by the clock, both limited by the servers on the same cores: ${speedText(held)} against ${speedText(agent)} calls/s`,
  });
  yield atMost(MOST_RESUMED, {
    name: "T3 resumed call / fresh call",
    value: ratio(resumed, fresh),
    unit: workUnit(),
    details: `${cpuText(resumed)} against ${cpuText(fresh)}`,
  });
  yield told({
    name: "fresh calls by the clock",
    value: median(fresh.map(({ callsPerSecond = NaN }) => callsPerSecond)),
    unit: "calls/s",
    details: "with the servers on the same cores",
  });
}

function freshRow(kind: KeyKind, fresh: PerCall[], floor: PerCall[] | string[]): BenchRow {
  const name = `T1 fresh call / openssl s_time, ${kind}`;
  const [first] = floor;
  if (typeof first === "string") return notMeasured(name, `<= ${MOST_FRESH}`, workUnit(), first);
  const theirs = floor as PerCall[];
  return atMost(MOST_FRESH, {
    name,
    value: ratio(fresh, theirs),
    unit: workUnit(),
    details: `${cpuText(fresh)} against ${cpuText(theirs)}`,
  });
}

async function ours(setting: Setting, mode: WireMode, round: number): Promise<PerCall> {
  const { context, client, peers } = setting;
  context.progress(`round ${round + 1} of ${context.rounds}, ${mode}`);
  const [few, many] = CALLS[mode];
  const run = async (calls: number): Promise<[Cost, WireClientReport]> => {
    const options: WireClientOptions = { ...client, mode, calls, peers };
    const cost = await costOf(workerCommand(context, "wireClient", options), context);
    const report = JSON.parse(cost.stdout) as WireClientReport;
    checkSessions(mode, calls, report);
    return [cost, report];
  };
  const [short] = await run(few);
  const [long, { callsPerSecond }] = await run(many);
  return { ...perCall(long, short, many - few), callsPerSecond };
}

/** A figure of resumed calls that were none would be worth nothing. */
function checkSessions(mode: WireMode, calls: number, { resumed, full }: WireClientReport): void {
  const wanted = {
    fresh: [0, calls],
    resumed: [calls, SERVERS],
    held: [0, SERVERS],
    agent: [0, SERVERS],
  };
  const [wantedResumed, wantedFull] = wanted[mode];
  if (resumed !== wantedResumed || full !== wantedFull) {
    throw new Error(`${calls} ${mode} calls made ${resumed} resumed and ${full} full handshakes`);
  }
}

async function openssl({ context, files, peers }: Setting): Promise<PerCall> {
  const [peer] = peers;
  const run = async (seconds: number): Promise<[Cost, number]> => {
    const cost = await costOf(
      [
        ...["openssl", "s_time", "-new", "-tls1_3", "-time", String(seconds)],
        ...["-connect", `${peer?.address ?? ""}:${peer?.port ?? 0}`, "-verify", "3"],
        ...["-cert", files.certificate, "-key", files.key, "-CAfile", files.ca],
      ],
      context,
    );
    return [cost, Number(/^(\d+) connections in \d+ real seconds/m.exec(cost.stdout)?.[1])];
  };
  const [short, few] = await run(1);
  const [long, many] = await run(3);
  return perCall(long, short, many - few);
}

function ratio(ours: readonly PerCall[], theirs: readonly PerCall[]): number {
  const work = (runs: readonly PerCall[]): number[] => runs.map((run) => run.work);
  return pairedRatio(pairs(work(ours), work(theirs)));
}

function cpuText(runs: readonly PerCall[]): string {
  return `${spread(
    runs.map(({ cpuMs }) => cpuMs * 1_000),
    0,
  )} us CPU`;
}

function speedText(runs: readonly PerCall[]): string {
  return spread(
    runs.map(({ callsPerSecond = NaN }) => callsPerSecond),
    0,
  );
}
