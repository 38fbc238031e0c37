import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { FuncError } from "../../server/common/errors";
import type { OverlordRequests } from "../../server/protocol/requests";
import type { MinionCallState, MinionResult } from "../../server/protocol/jobs";
import { ChaosFleet } from "./chaosFleet";
import { chaosTree, hostsOf } from "./chaosTree";
import { ChaosWindow } from "./chaosWindow";
import { FaultMaker } from "./faultMaker";
import { processesOf } from "./processTroubles";
import type { NetworkCounts } from "./faultyNetwork";
import { Plan, type FaultKind, type PlannedJob } from "./plan";
import { verifyJob, type JobOutcome } from "./verify";

export interface ChaosOptions {
  seed: number;
  jobs: number;
  /** How many stand below the top, below each of these, and so on. */
  tree: readonly number[];
  /** Where overlord.js and funcd.js are. */
  dist: string;
  /** Of these programs; default: this one's. */
  version?: string;
  /** Ends earlier, with the jobs that have begun by then. */
  forMs?: number;
  /** Between two faults, on average. Default: 150 ms. */
  meanGapMs?: number;
  /** Faults that are left out; "kill overlord" also at the end. */
  without?: readonly string[];
  /** Jobs at the same time. Default 8. */
  atOnce?: number;
  /** How long all may take to settle after the last fault. Default 3 minutes. */
  settleMs?: number;
  signal?: AbortSignal;
  progress: (text: string) => void;
}

export interface ChaosReport {
  seed: number;
  minions: number;
  overlords: number;
  /** Jobs that the overlord had, and those whose start was lost with an overlord. */
  jobs: number;
  neverBegun: number;
  /** (job, minion) pairs of the former. */
  pairs: number;
  /** Attempts, which are more than pairs by what was tried again. */
  attempts: number;
  states: Partial<Record<MinionCallState, number>>;
  /** Attempts without a result, by the kind of their error. */
  reasons: Record<string, number>;
  /** Lines that the work itself left. */
  starts: number;
  /** Results that some window was told are final. */
  acknowledged: number;
  faults: Partial<Record<FaultKind, number>>;
  network: NetworkCounts;
  seconds: number;
  /** From the last fault until every job had its end. */
  settledSeconds: number;
  /** What is not as promised; empty where all is. */
  violations: string[];
}

const WINDOWS = 3;
const PAGE = 500;
/** Why a job is not tried again: nothing failed, or it runs since an earlier request whose answer was lost. */
const REFUSALS: ReadonlySet<string> = new Set([
  "conflict",
  "bad-argument",
  "no-match",
  "not-found",
]);
const TELL_EVERY_MS = 10_000;
/** So long may it take to tell of cancels whoever was away, once everything is there again. */
const CANCEL_LIMIT_MS = 60_000;
const PAUSE_MS = 200;

/** One run: jobs under faults, then quiet, then the truth. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const tree = chaosTree(options.tree);
  const names = hostsOf(tree);
  const plan = new Plan(options.seed, names, tree.length > 1);
  options.progress(`starting ${names.length} minions`);
  const fleet = await ChaosFleet.start(plan, tree, options);
  const run = new ChaosRun(options, plan, fleet);
  try {
    return await run.run();
  } finally {
    await run.close();
    await fleet.close();
  }
}

class ChaosRun {
  readonly #windows: ChaosWindow[];
  readonly #faults: FaultMaker;
  readonly #outcomes: { job: PlannedJob; id: string | undefined }[] = [];
  readonly #problems: string[] = [];
  #next = 1;
  #deadlineMs = Infinity;

  constructor(
    private readonly options: ChaosOptions,
    private readonly plan: Plan,
    private readonly fleet: ChaosFleet,
  ) {
    const { target } = fleet.top;
    this.#windows = Array.from(
      { length: WINDOWS },
      (_, index) =>
        new ChaosWindow(`window ${index + 1}`, target, () => Date.now() < this.#deadlineMs),
    );
    const { meanGapMs = 150, without = [] } = options;
    this.#faults = new FaultMaker(fleet, plan, { meanGapMs, without: new Set(without) });
  }

  async run(): Promise<ChaosReport> {
    const { options } = this;
    const beganAtMs = Date.now();
    const endAtMs = options.forMs === undefined ? Infinity : beganAtMs + options.forMs;
    await this.#window(0).request("overlord/status", {});
    const telling = setInterval(() => {
      options.progress(`${this.#outcomes.length} jobs have ended, ${this.#next - 1} have begun`);
    }, TELL_EVERY_MS);
    const isOver = (): boolean =>
      this.#next > options.jobs || Date.now() > endAtMs || options.signal?.aborted === true;
    const workers = Array.from({ length: options.atOnce ?? 8 }, async () => {
      while (!isOver()) await this.#runJob(this.#next++);
    });
    const faults = this.#faults.run();
    // the last jobs begin under faults, and end without
    while (!isOver()) await sleep(50);
    await this.#faults.end();
    await faults;
    const quietAtMs = Date.now();
    this.#deadlineMs = quietAtMs + (options.settleMs ?? 180_000);
    await Promise.all(workers);
    const settledSeconds = (Date.now() - quietAtMs) / 1_000;
    clearInterval(telling);
    options.progress("looking for what was cancelled and goes on");
    await this.#findUnended();
    options.progress("comparing with what the work left");
    const first = await this.#collect();
    const report = await this.#report(first);
    if (!options.without?.includes("kill overlord")) {
      options.progress("killing the overlord once more");
      await this.#compareAfterRestart(first);
    }
    const seconds = (Date.now() - beganAtMs) / 1_000;
    return { ...report, seconds, settledSeconds, violations: this.#problems };
  }

  async close(): Promise<void> {
    await Promise.all(this.#windows.map((window) => window.close()));
  }

  #window(index: number): ChaosWindow {
    const window = this.#windows[index % WINDOWS];
    if (!window) throw new Error("no window");
    return window;
  }

  async #runJob(place: number): Promise<void> {
    const job = this.plan.job(place);
    const window = this.#window(place);
    try {
      const id = await window.start(job.call, job.token);
      this.#outcomes.push({ job, id });
      if (id === undefined) return;
      const other = job.watched ? this.#window(place + 1) : undefined;
      await other?.watch(id);
      const cancel = job.cancelAfterMs;
      if (cancel !== undefined) {
        await sleep(cancel);
        await window.request("jobs/cancel", { jobId: id });
      }
      await window.finished(id);
      await this.#noteDelivered(job, id, 1);
      for (let retry = 1; retry <= job.retries; retry++) {
        if (!(await this.#retry(window, id))) break;
        await window.finished(id);
      }
      await other?.finished(id);
      window.unwatch(id);
      other?.unwatch(id);
    } catch (error) {
      this.#problems.push(
        `${job.token}: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }

  /** What failed is tried again. False where there is nothing to try. */
  async #retry(window: ChaosWindow, jobId: string): Promise<boolean> {
    try {
      const { attempts = 1 } = await window.request("jobs/retry", { jobId });
      await window.watchAnew(jobId, attempts);
      return true;
    } catch (error) {
      if (error instanceof FuncError && REFUSALS.has(error.reason)) return false;
      throw error;
    }
  }

  async #noteDelivered(job: PlannedJob, id: string, attempt: number): Promise<void> {
    const { results } = await this.#window(0).request("jobs/results", {
      jobId: id,
      from: 0,
      limit: PAGE,
    });
    for (const { minion, state } of results) {
      if (state === "succeeded") this.#faults.delivered({ job, id, minion, attempt });
    }
  }

  /** All attempts of all jobs, as the overlord has them now. */
  async #collect(): Promise<JobOutcome[]> {
    const collected: JobOutcome[] = [];
    for (const { job, id } of this.#outcomes) {
      const attempts = new Map<string, MinionResult[]>();
      if (id !== undefined) {
        await this.#collectJob(id, attempts).catch((error: unknown) => {
          this.#problems.push(`${id}: ${error instanceof Error ? error.message : String(error)}`);
        });
      }
      collected.push({ job, id, attempts });
    }
    return collected;
  }

  async #collectJob(jobId: string, attempts: Map<string, MinionResult[]>): Promise<void> {
    const window = this.#window(0);
    for (let from = 0; ; from += PAGE) {
      const params: OverlordRequests["jobs/results"]["params"] = { jobId, from, limit: PAGE };
      const { results } = await window.request("jobs/results", params);
      for (const result of results) {
        const { minion, attempt = 1 } = result;
        const all =
          attempt === 1
            ? [result]
            : (await window.request("jobs/attempts", { jobId, minion })).results;
        attempts.set(minion, all);
      }
      if (results.length < PAGE) return;
    }
  }

  async #report(
    collected: readonly JobOutcome[],
  ): Promise<Omit<ChaosReport, "seconds" | "settledSeconds" | "violations">> {
    const starts = new Map<string, number[]>();
    let startCount = 0;
    for (const [name, host] of this.fleet.hosts) {
      for (const { token, pid } of await host.starts()) {
        const key = `${name} ${token}`;
        starts.set(key, [...(starts.get(key) ?? []), pid]);
        startCount++;
      }
    }
    const states: Partial<Record<MinionCallState, number>> = {};
    const reasons: Record<string, number> = {};
    let pairs = 0;
    let attempts = 0;
    for (const outcome of collected) {
      this.#problems.push(
        ...verifyJob(
          outcome,
          [...this.fleet.hosts.keys()],
          (minion, token) => starts.get(`${minion} ${token}`) ?? [],
          (minion, token) => this.#faults.wasKilled(minion, token),
        ),
        ...this.#lostNews(outcome),
      );
      for (const tried of outcome.attempts.values()) {
        pairs++;
        attempts += tried.length;
        for (const { state, error } of tried) {
          if (!error) continue;
          const reason = `${state}: ${error.type}: ${kindOf(error.message)}`;
          reasons[reason] = (reasons[reason] ?? 0) + 1;
        }
        const last = tried.at(-1)?.state;
        if (last) states[last] = (states[last] ?? 0) + 1;
      }
    }
    this.#problems.push(...(await this.fleet.troubles()));
    for (const window of this.#windows) {
      this.#problems.push(...window.acknowledged.contradictions, ...window.untold);
    }
    return {
      seed: this.options.seed,
      minions: this.fleet.hosts.size,
      overlords: chaosTree(this.options.tree).length,
      jobs: collected.filter(({ id }) => id !== undefined).length,
      neverBegun: collected.filter(({ id }) => id === undefined).length,
      pairs,
      attempts,
      states,
      reasons,
      starts: startCount,
      acknowledged: this.#windows.reduce((sum, { acknowledged }) => sum + acknowledged.count, 0),
      faults: Object.fromEntries(this.#faults.counts),
      network: this.fleet.network.counts,
    };
  }

  /** Work of cancelled jobs that goes on: whoever was away has been told by now. */
  async #findUnended(): Promise<void> {
    const killed = new Set(this.#faults.killedTokens());
    const cancelled = this.#outcomes.filter(
      ({ job, id }) =>
        id !== undefined && job.cancelAfterMs !== undefined && !killed.has(job.token),
    );
    const limitMs = Date.now() + CANCEL_LIMIT_MS;
    for (const { job, id = "" } of cancelled) {
      let left = processesOf(job.token);
      while (left.length > 0 && Date.now() < limitMs) {
        await sleep(PAUSE_MS);
        left = processesOf(job.token);
      }
      if (left.length === 0) continue;
      this.#problems.push(`${job.token} (${id}) was cancelled and goes on: ${left.join(", ")}`);
    }
  }

  /** What windows were told, and the overlord no longer says. */
  #lostNews({ id, attempts }: JobOutcome): string[] {
    if (id === undefined) return [];
    const results = [...attempts.values()].flat();
    return this.#windows.flatMap(({ acknowledged }) => acknowledged.missing(id, results));
  }

  /** All is the same in the next overlord. */
  async #compareAfterRestart(before: readonly JobOutcome[]): Promise<void> {
    const pid = await this.#window(0).overlordPid();
    if (pid !== undefined) process.kill(pid, "SIGKILL");
    await sleep(200);
    const after = await this.#collect();
    for (const [index, { id, attempts }] of before.entries()) {
      const now = after[index]?.attempts ?? new Map<string, readonly MinionResult[]>();
      for (const [minion, results] of attempts) {
        const again = now.get(minion);
        if (!isDeepStrictEqual(again?.map(lasting), results.map(lasting))) {
          this.#problems.push(
            `${id ?? ""} on ${minion}: was ${JSON.stringify(results)}, and is ${JSON.stringify(again ?? null)} in the next overlord`,
          );
        }
      }
    }
  }
}

/** Without what may still change: a minion that was away may have been told of its cancel by now, and have told its end. */
function lasting({ cancelPending: _, later: __, ...result }: MinionResult): MinionResult {
  return result;
}

/** How a message begins, without names and numbers. */
function kindOf(message: string): string {
  return message
    .replace(/minion\d+( \([^)]*\))?/g, "MINION")
    .replace(/\d+/g, "N")
    .slice(0, 80);
}
