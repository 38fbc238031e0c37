import type { ChildProcess } from "node:child_process";
import { connectOverlord, type OverlordConnection } from "../../server/client/connection";
import { FINAL_STATES, type JobProgress, type MinionResult } from "../../server/protocol/jobs";
import type { JsonValue } from "../../server/protocol/value";
import { blackHole, closedPort, lonelyFuncd, stranger, trickler, type At } from "./badMinionHosts";
import type { BenchContext, Benchmark } from "./benchmark";
import { atMost, told, type BenchRow, type Figure } from "./benchRow";
import { loopMeter } from "./overlordLoop";
import { startProvisionedFleet, type ProvisionedFleet } from "./provisionedFleet";
import { interleaved, median, pairedRatio, pairs, spread } from "./statistics";

const WELL = 995;
const MOST_RATIO = 1.1;
/** Spread among the others. */
const BAD = {
  dead: "minion7",
  refusing: "minion407",
  stranger: "minion607",
  slow: "minion807",
} as const;
/** The fifth: frozen after its connection was held, or before there was any. */
const FROZEN = { held: "minion207", cold: "minion208" } as const;
const BAD_NAMES: readonly string[] = [...Object.values(BAD), ...Object.values(FROZEN)];
const SIZE = WELL + BAD_NAMES.length;

type Mode = "without" | keyof typeof FROZEN;

interface Method {
  what: string;
  module: string;
  method: string;
  args: JsonValue[];
  rounds: number;
}

const METHODS: readonly Method[] = [
  { what: "ping", module: "test", method: "ping", args: [], rounds: 15 },
  { what: "command", module: "command", method: "run", args: ["hostname"], rounds: 7 },
];

/** Five bad minions among 1,000: what the others notice of them, and how each of the five ends. */
export const badMinionsBenchmark: Benchmark = {
  name: "bad-minions",
  what: "five bad minions among 1,000: the time of the other 995, and how the five end",
  async *run(context) {
    const setting = await prepare(context);
    const { connection } = setting;
    context.progress("every minion is called once, on fresh connections");
    const cold = await others(setting, METHODS[0], "without");
    yield told({ name: "bad-minions: first ping of the 995", value: cold, unit: "ms" });
    yield await loopRow(setting, "1,000 fresh connections");
    for (const method of METHODS) {
      yield* compare(setting, method);
      yield await loopRow(setting, `${method.what}, held`);
    }
    yield* ends(setting);
    connection.dispose();
  },
};

interface Setting {
  context: BenchContext;
  connection: OverlordConnection;
  /** The one that is frozen after its connection was held. */
  freezing: ChildProcess;
  /** Of the bad ones that are elsewhere. */
  elsewhere: ReadonlyMap<string, At>;
  loopDelay: () => Promise<{ p50: number; p99: number; max: number }>;
}

async function prepare(context: BenchContext): Promise<Setting> {
  const { signal, dist } = context;
  const fleet: ProvisionedFleet = await startProvisionedFleet({
    size: SIZE,
    start: false,
    dist,
    signal,
  });
  context.onEnd(() => fleet.close());
  context.progress(`${SIZE} minions start`);
  await fleet.startMinions(fleet.names.filter((name) => !BAD_NAMES.includes(name)));
  const freezing = await lonelyFuncd(context, fleet, FROZEN.held);
  (await lonelyFuncd(context, fleet, FROZEN.cold)).kill("SIGSTOP");
  const elsewhere = new Map<string, At>([
    [BAD.dead, await blackHole(context)],
    [BAD.refusing, await closedPort()],
    [BAD.stranger, await stranger(context, BAD.stranger)],
    [BAD.slow, await trickler(context, fleet, BAD.slow)],
  ]);
  const meter = await loopMeter(context);
  const launch = { ...fleet.target.launch, env: meter.env };
  const connection = await connectOverlord({ ...fleet.target, launch, signal });
  const { pid } = await connection.request("overlord/status", {});
  return { context, connection, freezing, elsewhere, loopDelay: () => meter.ask(pid) };
}

async function loopRow(setting: Setting, what: string): Promise<BenchRow> {
  const { p50, p99, max } = await setting.loopDelay();
  return told({
    name: `bad-minions: event loop of the overlord, p99 (${what})`,
    value: p99,
    unit: "ms late",
    details: `p50 ${p50.toFixed(1)}, longest ${max.toFixed(1)}; minions on the same cores`,
  });
}

async function* compare(setting: Setting, method: Method): AsyncGenerator<BenchRow> {
  const runs = await interleaved(method.rounds, {
    without: () => others(setting, method, "without"),
    cold: () => others(setting, method, "cold"),
    again: () => others(setting, method, "without"),
    held: () => others(setting, method, "held"),
  });
  const figure = (kind: "cold" | "held" | "again", what: string): Figure => {
    const paired = pairs(runs[kind], runs.without);
    const ratios = paired.map(({ ours, theirs }) => ours / theirs);
    return {
      name: `bad-minions: ${method.what}, the 995 ${what}`,
      value: pairedRatio(paired),
      unit: "by the clock",
      details: `medians ${median(runs[kind]).toFixed(0)} and ${median(runs.without).toFixed(0)} ms; ratios ${spread(ratios)}`,
    };
  };
  yield atMost(MOST_RATIO, figure("cold", "with / without five bad ones (one frozen before)"));
  yield atMost(MOST_RATIO, figure("held", "with / without five bad ones (one frozen when held)"));
  yield told(figure("again", "without / without them, which is the noise"));
}

/** Time until the 995 have answered, in ms. Nothing is known of the bad ones before. */
async function others(setting: Setting, method: Method | undefined, mode: Mode): Promise<number> {
  const { connection, context } = setting;
  if (!method) throw new RangeError("no method");
  context.signal.throwIfAborted();
  if (mode !== "without") await makeBad(setting, mode);
  const watch = new Watch(connection);
  const begunMs = performance.now();
  const { id } = await connection.request("calls/start", {
    spec: "*",
    exclude: leftOut(mode).join(";"),
    module: method.module,
    method: method.method,
    args: method.args,
  });
  await watch.until(id, (name) => !BAD_NAMES.includes(name), WELL);
  const tookMs = performance.now() - begunMs;
  watch.expectSuccess();
  if (mode !== "without") await connection.request("jobs/cancel", { jobId: id });
  setting.freezing.kill("SIGCONT");
  watch.end();
  return tookMs;
}

/** Those that are not called. */
function leftOut(mode: Mode): readonly string[] {
  if (mode === "without") return BAD_NAMES;
  return [mode === "held" ? FROZEN.cold : FROZEN.held];
}

/** The five go bad; the overlord knows nothing of it. */
async function makeBad(setting: Setting, mode: keyof typeof FROZEN): Promise<void> {
  const { connection, elsewhere, freezing } = setting;
  for (const [name, at] of elsewhere) {
    await connection.request("minions/edit", { name, ...at });
  }
  if (mode === "cold") return;
  const watch = new Watch(connection);
  const call = { spec: FROZEN.held, module: "test", method: "ping", args: [] };
  const { id } = await connection.request("calls/start", call);
  await watch.until(id, () => true, 1);
  watch.expectSuccess();
  watch.end();
  freezing.kill("SIGSTOP");
}

/** How each of the five ends when nobody cancels. */
async function* ends(setting: Setting): AsyncGenerator<BenchRow> {
  const { connection, context, freezing } = setting;
  context.progress("the five come to their ends, which takes a minute");
  await makeBad(setting, "held");
  const watch = new Watch(connection);
  const call = { spec: BAD_NAMES.join(";"), module: "test", method: "ping", args: [] };
  const { id } = await connection.request("calls/start", call);
  await watch.until(id, () => true, BAD_NAMES.length);
  watch.end();
  freezing.kill("SIGCONT");
  const frozen = { "frozen when held": FROZEN.held, "frozen before": FROZEN.cold };
  for (const [kind, name] of Object.entries({ ...BAD, ...frozen })) {
    const result = watch.results.get(name);
    yield told({
      name: `bad-minions: end of the one that is ${kind}`,
      value: (result?.durationMs ?? NaN) / 1_000,
      unit: "s",
      details: `${result?.state ?? "nothing"}: ${result?.error?.message ?? ""} ${result?.error?.nextStep ?? ""}`,
    });
  }
}

/** What the overlord tells of a job. */
class Watch {
  readonly results = new Map<string, MinionResult>();
  readonly #stop: { dispose(): void };
  #jobId: string | undefined;
  #early: JobProgress[] = [];
  #wanted: (name: string) => boolean = () => false;
  #missing = 0;
  #done: () => void = () => undefined;

  constructor(connection: OverlordConnection) {
    this.#stop = connection.on("jobs/progress", (progress) => {
      this.#take(progress);
    });
  }

  /** Resolves when so many of the wanted minions have ended. */
  async until(jobId: string, wanted: (name: string) => boolean, count: number): Promise<void> {
    this.#jobId = jobId;
    this.#wanted = wanted;
    this.#missing = count;
    const done = new Promise<void>((resolve) => (this.#done = resolve));
    for (const progress of this.#early.splice(0)) this.#take(progress);
    await done;
  }

  expectSuccess(): void {
    for (const { minion, state, error } of this.results.values()) {
      if (this.#wanted(minion) && state !== "succeeded") {
        throw new Error(`${minion} is not well: ${state}, ${error?.message ?? ""}`);
      }
    }
  }

  end(): void {
    this.#stop.dispose();
  }

  #take(progress: JobProgress): void {
    if (this.#jobId === undefined) {
      this.#early.push(progress);
      return;
    }
    if (progress.summary.id !== this.#jobId) return;
    for (const result of progress.results) {
      if (!FINAL_STATES.has(result.state) || this.results.has(result.minion)) continue;
      this.results.set(result.minion, result);
      if (this.#wanted(result.minion) && --this.#missing === 0) this.#done();
    }
  }
}
