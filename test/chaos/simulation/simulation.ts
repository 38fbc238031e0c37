import { isDeepStrictEqual } from "node:util";
import { FuncError } from "../../../server/common/errors";
import type { Job } from "../../../server/jobs/job";
import type { JobEvent } from "../../../server/jobs/store/storeTypes";
import type { MinionResult } from "../../../server/protocol/jobs";
import type { MinionRecord } from "../../../server/protocol/minions";
import { Random } from "../../fuzz/random";
import { Acknowledged } from "../acknowledged";
import type { PlannedJob } from "../plan";
import { verifyJob, type JobOutcome } from "../verify";
import { SimulatedDisk } from "./simulatedDisk";
import { SimulatedMinion } from "./simulatedMinion";
import { SimulatedOverlord, type SimulatedWorld } from "./simulatedOverlord";
import { SimulatedWire } from "./simulatedWire";
import { VirtualClock } from "./virtualClock";

export interface SimulationReport {
  jobs: number;
  pairs: number;
  overlordKills: number;
  funcdKills: number;
  /** Crashes that left a record of the journal in part. */
  tornWrites: number;
  acknowledged: number;
  /** What is not as promised. */
  violations: string[];
}

const FAULTS_FOR_MS = 60_000;
/** All processes are up again by then. */
const QUIET_AFTER_MS = FAULTS_FOR_MS + 15_000;
const SETTLE_MS = 4 * 60 * 60_000;
const LOOK_MS = 250;

/** One schedule: jobs, kills and a faulty network in virtual time; all of it follows from the seed. */
export async function simulate(seed: number): Promise<SimulationReport> {
  const random = new Random(seed);
  const clock = VirtualClock.install(() => random.fraction());
  try {
    return await new Simulation(clock, random).run();
  } finally {
    clock.uninstall();
  }
}

class Simulation {
  readonly #minions: Map<string, SimulatedMinion>;
  readonly #world: SimulatedWorld;
  readonly #acknowledged = new Acknowledged("client");
  readonly #outcomes: { job: PlannedJob; id: string | undefined }[] = [];
  readonly #listening = new WeakSet<Job>();
  readonly #violations: string[] = [];
  #overlord: SimulatedOverlord | undefined;
  #overlordKills = 0;
  #funcdKills = 0;

  constructor(
    private readonly clock: VirtualClock,
    private readonly random: Random,
  ) {
    const names = ["node1", "node2", "node3"];
    this.#minions = new Map(
      names.map((name) => [
        name,
        new SimulatedMinion(name, !random.chance(0.25), clock, new Random(random.below(2 ** 31))),
      ]),
    );
    const records = names.map((name): MinionRecord => ({
      name,
      address: name,
      port: 51_234,
      state: "unknown",
      enrolledAtMs: 0,
      keyFingerprint: name,
      certificateSerial: name,
      certificateNotAfterMs: Number.MAX_SAFE_INTEGER,
    }));
    const disk = new SimulatedDisk(clock, new Random(random.below(2 ** 31)));
    const wire = new SimulatedWire(this.#minions, clock, new Random(random.below(2 ** 31)));
    this.#world = { clock, disk, wire, minions: records };
  }

  async run(): Promise<SimulationReport> {
    const { clock, random } = this;
    await this.#startOverlord([]);
    this.#planKills();
    for (let kill = random.below(5); kill > 0; kill--) {
      const minion = random.pick([...this.#minions.values()]);
      clock.after(random.below(FAULTS_FOR_MS), () => {
        this.#restartFuncd(minion);
      });
    }
    clock.after(QUIET_AFTER_MS, () => undefined);
    clock.after(FAULTS_FOR_MS, () => (this.#world.wire.faulty = false));
    const jobs = Array.from({ length: 1 + random.below(3) }, (_, place) => this.#plan(place));
    const ended = { count: 0 };
    for (const job of jobs) {
      clock.after(random.below(20_000), () => {
        this.#runJob(job)
          .catch((error: unknown) => {
            this.#violations.push(`${job.token}: ${String(error)}`);
          })
          .finally(() => ended.count++);
      });
    }
    const all = await clock.runUntil(
      () => ended.count === jobs.length && clock.nowMs >= QUIET_AFTER_MS && !!this.#overlord,
      SETTLE_MS,
    );
    if (!all) this.#violations.push(`${jobs.length - ended.count} jobs have not ended`);
    return this.#report();
  }

  /** Of the overlord: at any time, while it writes, and soon after a job has begun. */
  #planKills(): void {
    const { clock, random } = this;
    const kill = (): void => void this.#restartOverlord();
    for (let kills = random.below(3); kills > 0; kills--) {
      clock.after(random.below(FAULTS_FOR_MS), kill);
    }
    const { disk } = this.#world;
    const during = new Set(Array.from({ length: random.below(4) }, () => 1 + random.below(30)));
    disk.onWrite = () => {
      if (during.has(disk.writes) && clock.nowMs < FAULTS_FOR_MS)
        clock.after(random.below(2), kill);
    };
  }

  #plan(place: number): PlannedJob {
    const { random } = this;
    const token = `job${place}`;
    const minions = [...this.#minions.keys()].filter(() => random.chance(0.8));
    const chosen = minions.length > 0 ? minions : ["node1"];
    const isAsync = random.chance(0.75);
    const milliseconds = random.chance(0.5) ? random.below(500) : random.below(30_000);
    return {
      token,
      minions: chosen,
      call: {
        spec: chosen.join(";"),
        module: "command",
        method: "run",
        args: [`${token} ${milliseconds}`],
        async: isAsync,
        ...(random.chance(0.5) && { timeoutMs: 1_000 + random.below(60_000) }),
        ...(isAsync && random.chance(0.3) && { deliveryLimitMs: random.below(30_000) }),
        ...(random.chance(0.3) && { nforks: 1 }),
        ...(random.chance(0.2) && { batch: { size: random.pick(["1", "50%"]) } }),
        ...(random.chance(0.7) && { maxErrors: random.below(3) }),
      },
      exitStatus: 0,
      bytes: 0,
      ...(random.chance(0.2) && { cancelAfterMs: random.below(10_000) }),
      retries: random.chance(0.3) ? 1 : 0,
      watched: false,
    };
  }

  async #runJob(job: PlannedJob): Promise<void> {
    const id = await this.#start(job);
    this.#outcomes.push({ job, id });
    if (id === undefined) return;
    if (job.cancelAfterMs !== undefined) {
      await this.clock.sleep(job.cancelAfterMs);
      await this.#cancel(id);
    }
    await this.#finished(id);
    for (let retry = 0; retry < job.retries; retry++) {
      await this.#retry(id);
      await this.#finished(id);
    }
  }

  /** The id; undefined where the overlord died before it had the job. */
  async #start(job: PlannedJob): Promise<string | undefined> {
    const overlord = await this.#running();
    if (this.random.chance(0.3)) {
      this.clock.after(this.random.below(500), () => void this.#restartOverlord());
    }
    const minions = this.#world.minions.filter(({ name }) => job.minions.includes(name));
    const started = await Promise.race([
      overlord.runner.start(job.call, minions),
      overlord.died.then(() => undefined),
    ]);
    if (started) {
      this.#listen(started);
      return started.id;
    }
    const next = await this.#running();
    const { jobs } = await next.store.list({ text: job.token }, 10);
    return jobs[0]?.id;
  }

  async #cancel(id: string): Promise<void> {
    for (;;) {
      const overlord = await this.#running();
      const job = overlord.jobs.find(id);
      if (!job) return;
      const done = overlord.runner.cancel(job).then(() => true);
      if (await Promise.race([done, overlord.died.then(() => false)])) return;
    }
  }

  async #retry(id: string): Promise<void> {
    const overlord = await this.#running();
    try {
      const retried = await Promise.race([
        overlord.runner.retry(id, undefined),
        overlord.died.then(() => undefined),
      ]);
      if (retried) this.#listen(retried);
    } catch (error) {
      if (!(error instanceof FuncError) || error.reason !== "conflict") throw error;
    }
  }

  async #finished(id: string): Promise<void> {
    for (;;) {
      const overlord = await this.#running();
      const job = overlord.jobs.find(id);
      if (job ? job.finished : (await overlord.store.find(id))?.finished) return;
      await this.clock.sleep(LOOK_MS);
    }
  }

  async #running(): Promise<SimulatedOverlord> {
    while (!this.#overlord) await this.clock.sleep(LOOK_MS);
    return this.#overlord;
  }

  async #startOverlord(past: readonly JobEvent[]): Promise<void> {
    this.#overlord = await SimulatedOverlord.start(this.#world, past, (job) => {
      this.#listen(job);
    });
  }

  async #restartOverlord(): Promise<void> {
    const overlord = this.#overlord;
    if (!overlord) return;
    this.#overlord = undefined;
    this.#overlordKills++;
    const past = overlord.kill();
    await this.clock.sleep(this.random.below(10_000));
    await this.#startOverlord(past);
  }

  #restartFuncd(minion: SimulatedMinion): void {
    if (!minion.isUp) return;
    this.#funcdKills++;
    minion.kill();
    this.clock.after(this.random.below(10_000), () => {
      minion.start();
    });
  }

  #listen(job: Job): void {
    if (this.#listening.has(job)) return;
    this.#listening.add(job);
    job.onProgress((progress) => {
      this.#acknowledged.take(progress);
    });
  }

  async #report(): Promise<SimulationReport> {
    const before = await this.#collect();
    for (const outcome of before) {
      const wrong = verifyJob(
        outcome,
        [...this.#minions.keys()],
        (minion, token) => this.#minions.get(minion)?.starts.get(token) ?? [],
        () => false,
      );
      this.#violations.push(...wrong);
      if (outcome.id !== undefined) {
        const results = [...outcome.attempts.values()].flat();
        this.#violations.push(...this.#acknowledged.missing(outcome.id, results));
      }
    }
    this.#violations.push(...this.#acknowledged.contradictions);
    await this.#restartAndCompare(before);
    return {
      jobs: before.length,
      pairs: before.reduce((sum, { attempts }) => sum + attempts.size, 0),
      overlordKills: this.#overlordKills,
      funcdKills: this.#funcdKills,
      tornWrites: this.#world.disk.torn,
      acknowledged: this.#acknowledged.count,
      violations: this.#violations,
    };
  }

  async #restartAndCompare(before: readonly JobOutcome[]): Promise<void> {
    const past = this.#overlord?.kill() ?? [];
    await this.#startOverlord(past);
    const after = await this.#collect();
    for (const [index, { job, attempts }] of before.entries()) {
      if (isDeepStrictEqual(after[index]?.attempts, attempts)) continue;
      const now = JSON.stringify([...(after[index]?.attempts ?? [])]);
      const was = JSON.stringify([...attempts]);
      this.#violations.push(`${job.token} was ${was}, and is ${now} in the next overlord`);
    }
  }

  async #collect(): Promise<JobOutcome[]> {
    const store = this.#overlord?.store;
    const outcomes: JobOutcome[] = [];
    for (const { job, id } of this.#outcomes) {
      const attempts = new Map<string, MinionResult[]>();
      for (const minion of id === undefined ? [] : job.minions) {
        attempts.set(minion, (await store?.attempts(id ?? "", minion)) ?? []);
      }
      outcomes.push({ job, id, attempts });
    }
    return outcomes;
  }
}
