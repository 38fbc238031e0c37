import type { MethodDirectory } from "../../calls/methodDirectory";
import type { MinionCaller } from "../../calls/minionCaller";
import type { SeenMinions } from "../../calls/seenMinions";
import { FuncError, messageOf } from "../../common/errors";
import type { Log } from "../../common/log";
import { FINAL_STATES, type LaterWord } from "../../protocol/jobs";
import type { MinionRecord } from "../../protocol/minions";
import type { StartCallParams } from "../../protocol/requests";
import type { JsonValue } from "../../protocol/value";
import type { Inventory } from "../../targets/inventory";
import { fromJson } from "../../wire/jsonValue";
import type { XmlRpcValue } from "../../wire/value";
import { AsyncCollector } from "./asyncCollector";
import { Delivery } from "./delivery";
import { Job } from "../job";
import type { JobView } from "../jobView";
import { stopLeftovers } from "./leftovers";
import { JobJournal } from "./jobJournal";
import type { JobRegistry } from "../jobRegistry";
import type { JobRun, JobTools } from "./jobRun";
import { KeptTeller } from "./keptTeller";
import { LaterWords } from "./laterWords";
import { makeRun, type CallDefaults } from "./makeRun";
import { NO_HOPS, type HopCaller } from "./minionsBehind";
import { newJob, type JobOrigin } from "./newJob";
import { lostResult } from "./outcome";
import { PendingCancels, type Cancel } from "./pendingCancels";
import { minionsToRetry } from "./retryable";
import { divide, resumedJob, type ResumedJob } from "./resumedJob";
import { runSteps } from "./runSteps";
import { tellRest } from "./tellRest";
import { weightierWord } from "../weightierWord";
import type { JobAbove, JobRecord, JobStore } from "../store/storeTypes";
import type { ValueKeeper } from "../outputs/valueKeeper";

/** Sync calls get so long to end when the overlord does. */
const CLOSE_MS = 2_000;
const RESULTS_AT_ONCE = 1_000;
const RESUME_AGAIN_MS = 30_000;

export interface RunnerParts {
  jobs: JobRegistry;
  store: JobStore;
  caller: MinionCaller;
  /** Among the caller's upkeeps. */
  seen: SeenMinions;
  inventory: Inventory;
  methods: MethodDirectory;
  keeper: ValueKeeper;
  defaults: CallDefaults;
  /** Told of each job of an earlier process that was taken up. */
  onResumed: (job: Job) => void;
  /** Without it nobody behind others can be called. */
  hops?: HopCaller;
  log: Log;
}

/** Turns call requests into jobs, writes down what happens to them, and runs them to their end. */
export class CallRunner {
  private readonly tools: JobTools;
  private readonly delivery = new Delivery();
  /** Jobs of earlier processes that wait for `begin`. */
  private readonly resumed: ResumedJob[] = [];
  private readonly running = new Map<Job, Promise<void>>();
  private readonly limits = new WeakMap<Job, JobRun["limit"]>();
  private resumeTimer: NodeJS.Timeout | undefined;
  /** Of jobs whose arguments are written nowhere. */
  private readonly secretParams = new WeakMap<Job, XmlRpcValue[]>();

  constructor(private readonly parts: RunnerParts) {
    const { jobs, store, caller, seen, keeper, log } = parts;
    const journal = new JobJournal(store, log, () => {
      jobs.tidy();
    });
    const hops = parts.hops ?? NO_HOPS;
    const later = new LaterWords({
      caller,
      seen,
      store,
      hops,
      log,
      onWord: (call, minion, word) => this.takeLater(call, minion, word),
    });
    this.tools = {
      caller,
      hops,
      keeper,
      journal,
      seen,
      later,
      collector: new AsyncCollector(caller),
      // what is told now may have ended before
      cancels: new PendingCancels(caller, seen, log, (cancel) => {
        later.add(cancel);
      }),
      kept: new KeptTeller(caller, seen, ({ name: minion }, results) => {
        journal.told(
          results.map(({ jobId, attempt }) => ({ jobId, minion, attempt, what: "kept" })),
        );
      }),
    };
  }

  /** True while there is something to do that no client waits for. */
  get isBusy(): boolean {
    const { journal, cancels, later } = this.tools;
    return journal.isBehind || cancels.isTrying || later.isTrying;
  }

  /**
   * Makes the job and begins it after the caller's turn, so that nobody misses its first progress. It is on the
   * disk by then. A job that runs under the given id is answered as it is. Throws FuncError "bad-argument" for
   * arguments that cannot be sent, "unavailable".
   */
  async start(
    request: StartCallParams,
    minions: readonly MinionRecord[],
    origin: JobOrigin = {},
  ): Promise<Job> {
    const { jobs, methods, defaults } = this.parts;
    const known = origin.jobId === undefined ? undefined : jobs.find(origin.jobId);
    if (known) return known;
    const { background } = request;
    const { record, params, above } = newJob(request, minions, origin, { methods, defaults });
    const job = new Job({ ...record, ...(background && { background }) });
    jobs.add(job);
    try {
      if (!background) await this.tools.journal.created(record);
    } catch (error) {
      jobs.drop(job);
      throw error;
    }
    if (record.args === undefined) this.secretParams.set(job, params);
    const run = makeRun(job, record, params, defaults);
    // as another process would find them: the first one's call id names the job at their hop
    const { behind } = divide(record, namesOf(origin.behind), this.parts.inventory);
    this.run({ ...run, minions, behind, ...(above && { above }) });
    return job;
  }

  /** Asks all that is under way to end, and what went on beyond its limit. Minions that are away are told later. */
  async cancel(job: Job): Promise<void> {
    if (job.finished || job.isCancelled) return;
    await this.tools.journal.cancelRequested(job);
    job.cancel();
    this.stopLeftovers(job).catch((error: unknown) => {
      const problem = messageOf(error);
      this.parts.log.warn("what a job may have left running was not stopped", {
        job: job.id,
        problem,
      });
    });
  }

  /** Calls nobody more whose call has not begun. */
  skipRest(job: Job): void {
    this.limits.get(job)?.pass();
  }

  /** As stopLeftovers, of what has ended of a job. */
  async stopLeftovers(view: JobView): Promise<number> {
    const { caller, inventory, store } = this.parts;
    const record = await store.record(view.id);
    return stopLeftovers(view, caller, (name) => inventory.find(name), record);
  }

  /**
   * Calls minions of a job again, in the same job. Throws FuncError "not-found", "conflict", "unavailable" where
   * the arguments were secret or nothing can be written.
   */
  async retry(jobId: string, names: readonly string[] | undefined): Promise<Job> {
    const { jobs } = this.parts;
    jobs.claim(jobId);
    try {
      return await this.retryOnce(jobId, names);
    } finally {
      jobs.release(jobId);
    }
  }

  /**
   * Takes up the jobs of earlier processes, as they were left; they go on with `begin`. Never throws: where the store
   * cannot be read now, they are taken up once it can.
   */
  async resume(): Promise<void> {
    const { jobs, store, inventory, defaults, log, onResumed } = this.parts;
    try {
      for (const unfinished of await store.unfinished()) {
        // taken up, or begun, since the first try
        if (jobs.find(unfinished.job.id)) continue;
        tellRest(unfinished, inventory, this.tools);
        if (unfinished.finished) continue;
        const resumed = resumedJob(unfinished, inventory, defaults);
        jobs.restore(resumed.run.job);
        this.resumed.push(resumed);
        onResumed(resumed.run.job);
      }
    } catch (error) {
      log.error("the jobs of earlier times cannot be taken up now", { problem: messageOf(error) });
      this.resumeTimer = setTimeout(() => {
        void this.resume().then(() => {
          this.begin();
        });
      }, RESUME_AGAIN_MS).unref();
    }
  }

  /** Goes on with what was taken up. */
  begin(): void {
    for (const { run, gone } of this.resumed.splice(0)) {
      const { journal } = this.tools;
      journal.noted(run.job, "resumed", "the overlord was started again");
      for (const name of gone) {
        const ending = lostResult({ name }, "it is not among the minions any more.");
        void journal.ended(run.job, run.job.complete(name, ending));
      }
      this.run(run);
    }
  }

  /**
   * Async jobs go on on their minions, for the next overlord to collect, as do calls that an overlord above waits for;
   * other sync calls are cancelled. Settles once these have ended, or their time is over.
   */
  async close(): Promise<void> {
    const { journal, cancels, later, kept } = this.tools;
    clearTimeout(this.resumeTimer);
    const sync: Promise<void>[] = [];
    for (const [job, running] of this.running) {
      journal.noted(job, "stopped", "the overlord ended");
      const isForAbove = job.summary({ whole: false }).originator !== undefined;
      if (job.isAsync || isForAbove) {
        job.suspend();
      } else {
        job.cancel();
        sync.push(running);
      }
    }
    const limit = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_MS).unref());
    await Promise.race([Promise.all(sync), limit]);
    cancels.close();
    later.close();
    kept.close();
    journal.close();
  }

  private run(run: JobRun): void {
    const { job } = run;
    const { log } = this.parts;
    const { journal } = this.tools;
    this.limits.set(job, run.limit);
    const before = this.running.get(job) ?? Promise.resolve();
    const running = new Promise<void>((resolve) => setImmediate(resolve))
      .then(() => runSteps(run, this.tools, this.delivery))
      .catch(async (error: unknown) => {
        const problem = messageOf(error);
        log.error("a job failed for an unexpected reason", { job: job.id, problem });
        for (const minion of [...run.minions, ...run.behind]) {
          const ending = lostResult(minion, `the overlord failed: ${problem}`);
          await journal.ended(job, job.complete(minion.name, ending));
        }
      });
    const all = Promise.all([before, running]).then(() => {
      if (this.running.get(job) === all) this.running.delete(job);
      if (job.isSuspended) return;
      job.finishWhenDone();
      void journal.finishWhenWritten(job);
    });
    this.running.set(job, all);
  }

  private async retryOnce(jobId: string, names: readonly string[] | undefined): Promise<Job> {
    const { jobs, store, inventory, defaults } = this.parts;
    const record = await store.record(jobId);
    if (!record) throw new FuncError("not-found", `There is no job "${jobId.slice(0, 200)}".`);
    if (record.above) throw askedAbove(record.above, jobId);
    const known = jobs.find(jobId);
    const job = known ?? (await this.load(record));
    if (job.isCancelled && !job.finished) throw conflict(jobId, "is being cancelled");
    const params = this.secretParams.get(job) ?? paramsOf(record);
    const { minions, behind } = divide(record, minionsToRetry(job, names), inventory);
    const again = namesOf([...minions, ...behind]);
    if (again.length === 0) throw conflict(jobId, "has minions that are not here any more");
    // where there is no room for it, nothing may be on record
    if (!known) jobs.add(job);
    try {
      await this.tools.journal.retried(job, again, job.nextAttempt);
    } catch (error) {
      if (!known) jobs.drop(job);
      throw error;
    }
    // it was finished until now, and may have gone for its size
    if (jobs.find(jobId) !== job) jobs.restore(job);
    job.again(again);
    this.run({ ...makeRun(job, record, params, defaults), minions, behind });
    return job;
  }

  /** A finished job of the store, to go on with. */
  private async load(record: JobRecord): Promise<Job> {
    const { store } = this.parts;
    const results = [];
    for (let more = true; more;) {
      const page = await store.results(record.id, results.length, RESULTS_AT_ONCE);
      results.push(...page);
      more = page.length === RESULTS_AT_ONCE;
    }
    const summary = await store.find(record.id);
    const { finishedAtMs = Date.now() } = summary ?? {};
    return new Job(record, { results, cancelRequested: false, finishedAtMs });
  }

  /** False while the end of that attempt is not on record. */
  private takeLater(call: Cancel, minion: string, later: LaterWord | undefined): boolean {
    const { jobId, attempt, isDoubt } = call;
    const job = this.parts.jobs.find(jobId);
    if (job?.attemptOf(minion) === attempt) {
      if (!FINAL_STATES.has(job.result(minion).state)) return false;
      const told = !isDoubt && { cancelPending: undefined };
      const known = job.result(minion).later;
      job.amend(minion, { ...told, ...(later && { later: weightierWord(known, later) }) });
    }
    const { journal } = this.tools;
    if (later) journal.toldLater([{ jobId, minion, attempt, later }]);
    if (isDoubt) journal.doubtIsOver(call, [minion]);
    else journal.told([{ jobId, minion, attempt, what: "cancel" }]);
    return true;
  }
}

function namesOf(minions: readonly { name: string }[] = []): string[] {
  return minions.map(({ name }) => name);
}

/** Throws FuncError "unavailable". */
function paramsOf({ id, args }: { id: string; args?: JsonValue[] }): XmlRpcValue[] {
  if (args) return args.map(fromJson);
  throw new FuncError(
    "unavailable",
    `The arguments of job ${id.slice(0, 200)} are not kept: a part of them is secret.`,
    "Call the method again with its arguments.",
  );
}

function askedAbove({ originator }: JobAbove, jobId: string): FuncError {
  return new FuncError(
    "conflict",
    `The job ${jobId.slice(0, 200)} was asked for by ${originator}: its call is signed for one time there.`,
    `Call again from ${originator}.`,
  );
}

function conflict(jobId: string, why: string): FuncError {
  return new FuncError("conflict", `The job ${jobId.slice(0, 200)} ${why}.`);
}
