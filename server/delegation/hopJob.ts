import { setTimeout as sleep } from "node:timers/promises";
import type { MinionCallOutcome } from "../calls/minionCaller";
import { isPassing } from "../calls/overlordErrors";
import { messageOf } from "../common/errors";
import { callsAtHop, tellOnce } from "../jobs/engine/callsAtHop";
import type { JobRun, JobTools } from "../jobs/engine/jobRun";
import type { MinionBehind } from "../jobs/engine/minionsBehind";
import { cancelledResult, type Ending } from "../jobs/engine/outcome";
import { settle } from "../jobs/engine/settle";
import type { DelegatedProgress, DelegatedResult } from "../protocol/delegation";
import { FINAL_STATES } from "../protocol/jobs";
import type { MinionRecord } from "../protocol/minions";
import { readProgress } from "./delegatedProgress";
import type { LeftBehind } from "./hopEndings";
import { inDoubt, untold, withHopNamed } from "./hopEndings";
import { abortedLater } from "./abortedLater";
import { awayLimitMs, MAX_PROGRESS_BYTES, questionLimits, workLimitMs } from "./hopLimits";
import { startOnHop } from "./hopStart";
import type { HopValues } from "./hopValues";
import type { ResultTrust } from "./resultTrust";
import type { SignedTargets } from "./signedTargets";
import { textOfAsking } from "./textOfAsking";

/** A hop that is away for so long may not come back soon: those that can go another way do. */
const OFFER_AFTER_MS = 10_000;
/** While it is asked what was cancelled. */
const CANCEL_WAIT_SECONDS = 2;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** After an answer without a final result: hops that answer at once are not asked all the time. */
const LEAST_PAUSE_MS = 50;
/** So long is waited for what was cancelled to end, for each tier. */
const CANCEL_MS = 15_000;
const SHORT_MS = 5_000;
const LEAST_QUESTION_MS = 1_000;

/** One next hop, and those behind it that it is asked for. */
export interface HopShare {
  run: JobRun;
  tools: JobTools;
  hop: MinionRecord;
  minions: readonly MinionBehind[];
  signed: SignedTargets;
  values: HopValues;
  /** Of overlords that have signed the call themselves. */
  trust: ResultTrust | undefined;
  /** While the hop is away, with the job `id` maybe: takes those of the minions that can be reached otherwise. */
  takeOver: (minions: readonly MinionBehind[], id: string) => Promise<readonly MinionBehind[]>;
  /** Whether another hop may have begun the minion's call before. */
  isDoubtful: (name: string) => boolean;
}

/**
 * Has a hop call those behind it and puts each result where it belongs, as it comes. Gives those that have none
 * through this hop. Never rejects.
 */
export async function callOverHop(share: HopShare): Promise<LeftBehind[]> {
  const started = await startOnHop(share);
  if ("left" in started) return started.left;
  return new HopJob({ ...share, minions: started.minions }, started.hopJobId).run();
}

/** Collects what becomes of a job at a hop. */
class HopJob {
  /** By call id, those without a final result. */
  readonly #open = new Map<string, MinionBehind>();
  readonly #left: LeftBehind[] = [];
  readonly #going: Promise<void>[] = [];
  /** With their attempts, those whose end the hop will know only after it is told here. */
  readonly #endLater = new Map<string, number>();
  #cursor = "";
  #pauseMs = FIRST_PAUSE_MS;
  #awaySinceMs: number | undefined;
  #cancelledAtMs: number | undefined;
  /** It was tried to tell: from then on it does not interrupt questions. */
  #skipTried = false;
  #skipTold = false;
  #wasOffered = false;

  constructor(
    private readonly share: HopShare,
    private readonly hopJobId: string,
  ) {
    const { minions, signed } = share;
    for (const minion of minions) {
      const { callId } = signed.targets.get(minion.name) ?? {};
      if (callId !== undefined) this.#open.set(callId, minion);
    }
  }

  async run(): Promise<LeftBehind[]> {
    const { run, minions } = this.share;
    const workMs = workLimitMs(run, minions);
    const untilMs = workMs === undefined ? Infinity : performance.now() + workMs;
    while (this.#open.size > 0 && !this.#isSuspended()) {
      await this.#tellNews();
      if (this.#isCancelOver()) {
        this.#endCancelled();
        break;
      }
      if (performance.now() > untilMs) {
        this.#leave("it did not tell the end of the call in time.", true);
        break;
      }
      const askedAtMs = performance.now();
      const outcome = await this.#ask();
      if (this.#isSuspended()) break;
      if (outcome.state === "succeeded") await this.#read(outcome.value);
      else await this.#failed(outcome, askedAtMs);
    }
    await Promise.all(this.#going);
    this.#followLater();
    return this.#left;
  }

  #ask(): Promise<MinionCallOutcome> {
    const { run, tools, hop } = this.share;
    const { job, limit } = run;
    const isCancelled = this.#cancelledAtMs !== undefined;
    const news = [
      ...(isCancelled ? [] : [job.signal]),
      ...(this.#skipTried || isCancelled ? [] : [limit.signal]),
    ];
    const { waitSeconds, graceMs } = questionLimits(run);
    const held = isCancelled ? CANCEL_WAIT_SECONDS : waitSeconds;
    // one that was away is only to say that it is back
    const seconds = this.#awaySinceMs === undefined ? held : 0;
    const timeoutMs = isCancelled ? SHORT_MS : this.#withinAway(seconds * 1_000 + graceMs);
    return tools.caller.call(hop, "delegation.collect", [this.hopJobId, this.#cursor, seconds], {
      timeoutMs,
      signal: AbortSignal.any(news),
      inMemoryBytes: MAX_PROGRESS_BYTES,
    });
  }

  /** While the hop is away, no longer than it may be. */
  #withinAway(ms: number): number {
    if (this.#awaySinceMs === undefined) return ms;
    const leftMs = this.#awaySinceMs + awayLimitMs(this.share.run) - performance.now();
    return Math.min(ms, Math.max(LEAST_QUESTION_MS, leftMs));
  }

  /** Each of these is told once where the hop hears it; else it comes with the next question. */
  async #tellNews(): Promise<void> {
    const { run, tools, hop } = this.share;
    const { job, limit } = run;
    if (job.signal.aborted && this.#cancelledAtMs === undefined) {
      this.#cancelledAtMs = performance.now();
      const names = [...this.#open.values()].map(({ name }) => name);
      const calls = callsAtHop(job, hop, this.hopJobId, names);
      if ((await tellOnce(tools.cancels, calls)) === "away") this.#endCancelled(true);
      return;
    }
    if (!limit.isPassed || this.#skipTold || job.signal.aborted) return;
    this.#skipTried = true;
    const outcome = await tools.caller.call(hop, "delegation.skip_rest", [this.hopJobId], {
      timeoutMs: SHORT_MS,
      signal: job.signal,
    });
    this.#skipTold = outcome.state === "succeeded" || outcome.answered;
  }

  #isSuspended(): boolean {
    return this.share.run.job.isSuspended;
  }

  #isCancelOver(): boolean {
    const sinceMs = this.#cancelledAtMs;
    if (sinceMs === undefined) return false;
    const tiers = Math.max(...[...this.#open.values()].map(({ path }) => path.length - 1), 1);
    return performance.now() - sinceMs > CANCEL_MS * tiers;
  }

  #endCancelled(isPending = false): void {
    const { run, hop } = this.share;
    for (const minion of this.#takeOpen()) {
      // who is still to be told is asked after that
      if (!isPending) this.#endLater.set(minion.name, run.job.attemptOf(minion.name));
      const told = isPending
        ? `The call on ${minion.name} was cancelled here while ${hop.name} could not be reached.`
        : `The call on ${minion.name} was cancelled; ${hop.name} was told to stop it.`;
      const ending = cancelledResult({ ...hop, name: minion.name }, told);
      const owed = isPending ? { cancelPending: true } : { awaitsWord: true };
      const more = { mayHaveRun: true, via: [hop.name], minionJobId: this.hopJobId, ...owed };
      this.#going.push(this.#end(minion, { ...ending, ...more }));
    }
  }

  #followLater(): void {
    const { run, tools, hop } = this.share;
    if (this.#isSuspended()) return;
    const attemptOf = (name: string): number => this.#endLater.get(name) ?? 1;
    const names = [...this.#endLater.keys()];
    const { id } = run.job;
    for (const call of callsAtHop({ id, attemptOf }, hop, this.hopJobId, names)) {
      tools.later.add(call);
    }
  }

  async #failed(
    outcome: Exclude<MinionCallOutcome, { state: "succeeded" }>,
    askedAtMs: number,
  ): Promise<void> {
    const { run, tools, hop } = this.share;
    const { job } = run;
    if (outcome.state === "cancelled") return; // there is news to tell
    if (outcome.answered && !isPassing(outcome.error.type)) {
      this.#leave(outcome.error.message);
      return;
    }
    const now = performance.now();
    // somebody waits for a sync call: all of the time without a word counts
    this.#awaySinceMs ??= job.isAsync ? now : askedAtMs;
    const awayMs = now - this.#awaySinceMs;
    if (awayMs > awayLimitMs(run)) {
      this.#leave(outcome.error.message, true);
      return;
    }
    await this.#offer(awayMs);
    const signal = this.#cancelledAtMs === undefined ? job.signal : AbortSignal.timeout(SHORT_MS);
    const pauseMs = this.#withinAway(this.#pauseMs * (0.5 + Math.random()));
    await tools.seen.next(hop.name, pauseMs, signal);
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
  }

  /** Once it has been away for a while, others may go another way: no host runs one call twice. */
  async #offer(awayMs: number): Promise<void> {
    if (this.#wasOffered || awayMs < OFFER_AFTER_MS || this.#cancelledAtMs !== undefined) return;
    this.#wasOffered = true;
    const taken = new Set(await this.share.takeOver([...this.#open.values()], this.hopJobId));
    for (const [callId, minion] of this.#open) if (taken.has(minion)) this.#open.delete(callId);
  }

  async #read(answer: Parameters<typeof readProgress>[0]): Promise<void> {
    this.#awaySinceMs = undefined;
    this.#pauseMs = FIRST_PAUSE_MS;
    let progress: DelegatedProgress;
    try {
      progress = readProgress(answer);
    } catch (error) {
      this.#leave(messageOf(error));
      return;
    }
    this.#cursor = progress.cursor;
    const openBefore = this.#open.size;
    for (const result of progress.results) this.#take(result);
    if (progress.finished) {
      for (const minion of this.#takeOpen()) {
        this.#going.push(this.#end(minion, untold(minion, this.share.hop.name)));
      }
    } else if (this.#open.size === openBefore) {
      await sleep(LEAST_PAUSE_MS);
    }
  }

  #take(result: DelegatedResult): void {
    const { run, hop } = this.share;
    const minion = this.#open.get(result.callId);
    if (!minion) return;
    const { state, progress, failedHop } = result;
    if (!FINAL_STATES.has(state)) {
      if (state !== "queued") run.job.update(minion.name, { state, ...(progress && { progress }) });
      return;
    }
    this.#open.delete(result.callId);
    const couldGoOn = state === "unreachable" || state === "lost" || state === "denied";
    const isHop = failedHop !== undefined && minion.path.slice(0, -1).includes(failedHop);
    if (isHop && couldGoOn) {
      const cause = result.error?.message ?? `${hop.name} said no more.`;
      const mayHaveRun = result.mayHaveRun === true;
      const denied = state === "denied";
      this.#left.push({ minion, failedHop, cause, mayHaveRun, ...(denied && { denied }) });
      return;
    }
    this.#going.push(this.#finish(minion, result));
  }

  async #finish(minion: MinionBehind, result: DelegatedResult): Promise<void> {
    const { run, hop, values, trust } = this.share;
    const { job } = run;
    const { callId, outputs = [], state, value, error, mayHaveRun, receipt } = result;
    const { cancelPending, failedHop, via = [] } = result;
    if (cancelPending) this.#endLater.set(minion.name, run.job.attemptOf(minion.name));
    const ending: Ending = {
      state,
      ...(value !== undefined && !error && { value }),
      ...(error && { error: via.length === 0 ? withHopNamed(error, hop.name) : error }),
      ...(mayHaveRun && { mayHaveRun }),
      ...(cancelPending && { cancelPending }),
      ...(failedHop !== undefined && { failedHop }),
      via: [hop.name, ...via],
      ...(receipt && { receipt }),
    };
    const isLarge = ending.value !== undefined && outputs.length > 0;
    const bringing = isLarge ? abortedLater(job.signal, CANCEL_MS) : undefined;
    try {
      const place = { hop, hopJobId: this.hopJobId };
      if (bringing) await values.bring(place, outputs, job.id, bringing.signal);
      const told = { minion, callId, hop: hop.name, ending };
      await this.#end(minion, trust ? await trust.judge(told) : ending);
    } catch (problem) {
      if (bringing?.signal.aborted && job.isCancelled) {
        const why = `Cancelled; its result was not brought from ${hop.name} in time.`;
        const cancelled = cancelledResult({ ...hop, name: minion.name }, why);
        await this.#end(minion, { ...cancelled, mayHaveRun: true, via: ending.via ?? [] });
        return;
      }
      const message = `The result of ${minion.name} could not be brought here: ${messageOf(problem)}`;
      const failure = { type: "func.unavailable", message, trace: "" };
      const failed: Ending = { state: "failed", mayHaveRun: true, error: failure };
      await this.#end(minion, { ...failed, via: [hop.name] });
    } finally {
      bringing?.dispose();
    }
  }

  async #end({ name }: MinionBehind, ending: Ending): Promise<void> {
    const { run, tools, hop, isDoubtful } = this.share;
    if (run.job.isSuspended) return;
    const peer = { ...hop, name };
    const told = isDoubtful(name) ? inDoubt(ending, name) : ending;
    await tools.journal.ended(run.job, await settle(run.job, peer, told, tools.keeper));
  }

  #leave(cause: string, isAway = false): void {
    // the last question ran nothing, which is not meant of the call
    const told = textOfAsking(cause);
    const failed = { failedHop: this.share.hop.name, cause: told, mayHaveRun: true };
    const away = isAway && { awayWith: this.hopJobId };
    for (const minion of this.#takeOpen()) this.#left.push({ minion, ...failed, ...away });
  }

  #takeOpen(): MinionBehind[] {
    const open = [...this.#open.values()];
    this.#open.clear();
    return open;
  }
}
