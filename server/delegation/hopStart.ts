import { hash } from "node:crypto";
import type { MinionCallOutcome } from "../calls/minionCaller";
import { isPassing, NO_OVERLORD, reasonOfRemoteType } from "../calls/overlordErrors";
import type { JobRun } from "../jobs/engine/jobRun";
import type { MinionBehind } from "../jobs/engine/minionsBehind";
import { callsAtHop, tellOnce } from "../jobs/engine/callsAtHop";
import { cancelledResult, expiredResult, type Ending } from "../jobs/engine/outcome";
import { settle } from "../jobs/engine/settle";
import { isJobId, noJobIdText } from "../jobs/jobId";
import type { DelegatedRequest, DelegatedTarget, SignedCall } from "../protocol/delegation";
import type { MinionRecord } from "../protocol/minions";
import type { XmlRpcValue } from "../wire/value";
import { inDoubt, notSent, type LeftBehind } from "./hopEndings";
import type { HopShare } from "./hopJob";
import { awayLimitMs, MAX_PROGRESS_BYTES, refusedLimitMs, startLimitMs } from "./hopLimits";
import { idOfStart } from "./idOfStart";
import { callOriginalHop } from "./originalHop";
import { textOfAsking } from "./textOfAsking";

const STOP_TIMEOUT_MS = 5_000;
/** A start that is not answered for so long may take another way as well: no host runs one call twice. */
const OFFER_AFTER_MS = 10_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
const LEAST_QUESTION_MS = 1_000;
/** What a hop says that speaks the original's protocol only. */
const LACKING = /ModuleNotFoundException|InvalidMethodException/;

const SECRET_GONE =
  "the overlord ended before it was called, and its arguments are secret and kept nowhere.";

type FailedOutcome = Exclude<MinionCallOutcome, { state: "succeeded" }>;

/** `minions`: those that nobody else has taken over by then. */
type Started = { hopJobId: string; minions: readonly MinionBehind[] } | { left: LeftBehind[] };

/** Asks a hop to call those behind it, again with the same ids until it has answered. Never rejects. */
export async function startOnHop(share: HopShare): Promise<Started> {
  const { run, minions, signed } = share;
  const known = knownJob(run, minions);
  if (known !== undefined) return { hopJobId: known, minions };
  const first = minions[0] && signed.targets.get(minions[0].name);
  if (!first) return { left: [] };
  const { call } = signed;
  if (!call) return endAll(share, (minion) => notSent(minion, SECRET_GONE));
  return new HopStart(share, first.callId, call).run();
}

/** The start of a call at one hop. */
class HopStart {
  readonly #document: string;
  readonly #stopped: AbortSignal;
  readonly #startedAs: string;
  readonly #sinceMs = performance.now();
  #callId: string;
  #unsure = 0;
  #refusedSinceMs: number | undefined;
  #mayHaveRun: boolean;
  #wasOffered = false;
  /** By name, those of a detour that have not been answered. */
  #doubted: ReadonlySet<string> = new Set();
  #pauseMs = FIRST_PAUSE_MS;

  constructor(
    /** Those that nobody else has taken over. */
    private share: HopShare,
    private readonly firstCallId: string,
    call: SignedCall,
  ) {
    const { run, minions } = share;
    this.#document = JSON.stringify(requestOf(share, call));
    this.#startedAs = startId(firstCallId, this.#document);
    this.#callId = this.#startedAs;
    this.#stopped = AbortSignal.any([run.job.signal, run.limit.signal]);
    // an earlier process may have sent it
    this.#mayHaveRun = minions.some(({ name }) => run.past.has(name));
  }

  async run(): Promise<Started> {
    await this.#noteDetour();
    const started = await this.#start();
    if ("hopJobId" in started || !this.#mayHaveRun) this.#endDetour();
    return started;
  }

  async #start(): Promise<Started> {
    for (;;) {
      if (this.share.run.job.isSuspended) return { left: [] };
      if (this.#stopped.aborted) return this.#stop();
      const outcome = await this.#ask();
      const started =
        outcome.state === "succeeded" ? this.#begun(outcome.value) : await this.#failed(outcome);
      if (started) return started;
      await this.#pause();
    }
  }

  #ask(): Promise<MinionCallOutcome> {
    const { run, tools, hop, minions } = this.share;
    const startedAtMs = Date.now();
    for (const { name } of minions) run.job.update(name, { state: "sent", startedAtMs });
    return tools.caller.call(hop, "delegation.start", [this.#document], {
      timeoutMs: this.#withinAway(startLimitMs(run)),
      signal: this.#stopped,
      callId: this.#callId,
    });
  }

  #begun(hopJobId: XmlRpcValue): Started {
    if (!isJobId(hopJobId)) return leave(this.share, noJobIdText(hopJobId), true);
    const { run, tools, minions } = this.share;
    for (const { name, path } of minions) {
      run.job.update(name, { state: "sent", minionJobId: hopJobId, via: path.slice(0, -1) });
    }
    tools.journal.startedBehind(run.job, minions, hopJobId, run.secret);
    return { hopJobId, minions };
  }

  /** Undefined where it is to be asked again. */
  async #failed(outcome: FailedOutcome): Promise<Started | undefined> {
    if (outcome.answered) {
      const refused = await this.#refused(outcome);
      if (refused) return refused;
    } else {
      this.#refusedSinceMs = undefined;
      this.#mayHaveRun ||= outcome.mayHaveRun;
    }
    if (outcome.state === "cancelled") return undefined;
    if (await this.#offer()) return { left: [] };
    return this.#giveUp(outcome.error.message);
  }

  /** What the hop's funcd says instead of a job id; undefined where it may say another thing later. */
  async #refused({ error, state }: FailedOutcome): Promise<Started | undefined> {
    const { share } = this;
    const isUnavailable = reasonOfRemoteType(error.type) === "unavailable";
    this.#refusedSinceMs = isUnavailable ? (this.#refusedSinceMs ?? performance.now()) : undefined;
    if (LACKING.test(error.type)) return { left: await callOriginalHop(share) };
    if (!isPassing(error.type)) {
      const none = `${share.hop.name} is no sub-overlord.`;
      const cause = error.type === NO_OVERLORD ? none : error.message;
      return leave(share, cause, this.#mayHaveRun, state === "denied");
    }
    // its overlord, killed or frozen, may have the start, or take it later; funcd would answer the same id with this again
    this.#mayHaveRun = true;
    this.#callId = `${this.#startedAs}:${++this.#unsure}`;
    return undefined;
  }

  /** The next overlord process begins with the way on record: it is to know that this hop may begin them too. */
  async #noteDetour(): Promise<void> {
    const { run, tools, hop, minions } = this.share;
    const around = minions.filter(({ name }) => run.job.pathTo(name)?.[0] !== hop.name);
    if (around.length === 0) return;
    this.#doubted = new Set(around.map(({ name }) => name));
    await tools.journal.doubted(run.job, around, hop.name, this.#ownId());
  }

  /** The hop has answered with its job, which is on record, or has run nothing. */
  #endDetour(): void {
    const { run, tools, hop, minions } = this.share;
    if (run.job.isSuspended) return;
    const here = minions.map(({ name }) => name).filter((name) => this.#doubted.has(name));
    for (const call of callsAtHop(run.job, hop, this.#ownId(), here)) {
      tools.journal.doubtIsOver(call, call.names ?? []);
    }
  }

  /** Those that can go another way do, once; true where none is left. */
  async #offer(): Promise<boolean> {
    const { share } = this;
    const awayMs = performance.now() - this.#sinceMs;
    if (!this.#mayHaveRun || this.#wasOffered || awayMs <= OFFER_AFTER_MS) return false;
    this.#wasOffered = true;
    const taken = new Set(await share.takeOver(share.minions, this.#ownId()));
    const minions = share.minions.filter((minion) => !taken.has(minion));
    this.share = { ...share, minions };
    return minions.length === 0;
  }

  /** Undefined where it may be tried further. */
  #giveUp(cause: string): Promise<Started> | Started | undefined {
    const { share } = this;
    const { run, hop } = share;
    const nowMs = performance.now();
    const isPastDelivery = nowMs > (run.deliverUntilMs ?? 0);
    if (isPastDelivery && nowMs - (this.#refusedSinceMs ?? nowMs) > refusedLimitMs(run)) {
      return leave(share, cause, true);
    }
    if (this.#mayHaveRun) {
      const isLost = nowMs - this.#sinceMs >= awayLimitMs(run);
      return isLost ? leave(share, cause, true, false, this.#ownId()) : undefined;
    }
    if (!isPastDelivery) return undefined;
    if (run.deliverUntilMs === undefined) return leave(share, cause, false);
    return endAll(share, ({ name }) => expiredResult({ ...hop, name }, cause));
  }

  async #pause(): Promise<void> {
    const { run, tools, hop, minions } = this.share;
    if (this.#stopped.aborted) return;
    if (!this.#mayHaveRun) {
      for (const { name } of minions) run.job.update(name, { state: "queued" });
    }
    const pauseMs = this.#withinAway(this.#pauseMs * (0.5 + Math.random()));
    await tools.seen.next(hop.name, pauseMs, this.#stopped);
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
  }

  /** Once it may have run, no longer than the hop may be away. */
  #withinAway(ms: number): number {
    if (!this.#mayHaveRun) return ms;
    const leftMs = this.#sinceMs + awayLimitMs(this.share.run) - performance.now();
    return Math.min(ms, Math.max(LEAST_QUESTION_MS, leftMs));
  }

  /** Cancelled, or one too many. What may have begun at the hop is to end there as well. */
  async #stop(): Promise<Started> {
    const { share } = this;
    const { run, hop, tools, minions } = share;
    const endStopped = () => endAll(share, (minion) => stoppedEnding(run, hop, minion));
    if (!this.#mayHaveRun) return endStopped();
    const begun = await this.#hasBegun();
    if (run.job.isSuspended) return { left: [] };
    const id = this.#ownId();
    if (begun === "yes") return this.#begun(id);
    const names = minions.map(({ name }) => name);
    const cancels = callsAtHop(run.job, hop, id, names);
    // a start that comes after this is not taken
    const answer = begun === "no" ? await tellOnce(tools.cancels, cancels) : "away";
    if (answer === "stops") return this.#begun(id);
    if (answer === "nothing") return endStopped();
    if (begun === "unknown") for (const one of cancels) tools.cancels.add(one);
    return endAll(share, (minion) => this.#owedEnding(minion));
  }

  /** Whether the hop has the job. It is not asked to start it, which might begin it now. */
  async #hasBegun(): Promise<"yes" | "no" | "unknown"> {
    const { tools, hop } = this.share;
    const outcome = await tools.caller.call(hop, "delegation.collect", [this.#ownId(), "", 0], {
      timeoutMs: STOP_TIMEOUT_MS,
      signal: AbortSignal.timeout(STOP_TIMEOUT_MS),
      inMemoryBytes: MAX_PROGRESS_BYTES,
    });
    if (outcome.state === "succeeded") return "yes";
    return reasonOfRemoteType(outcome.error.type) === "not-found" ? "no" : "unknown";
  }

  /** Of a call that the hop may begin when it is back: it is told then. */
  #owedEnding(minion: MinionBehind): Ending {
    const { run, hop } = this.share;
    const { name } = minion;
    const owed = { mayHaveRun: true, cancelPending: true, minionJobId: this.#ownId() };
    if (run.job.isCancelled) {
      const told = `The call on ${name} was cancelled here while ${hop.name} did not answer its start.`;
      return { ...cancelledResult({ ...hop, name }, told), ...owed };
    }
    const { state, error } = run.limit.skipped(minion);
    const message = `Too many had failed while ${hop.name} did not answer the start of the call on ${name}; it is told to stop it.`;
    const nextStep = `It may have run: look on ${name} before you call it again.`;
    return { state, error: { type: "", trace: "", ...error, message, nextStep }, ...owed };
  }

  /** Names the job at the hop where the hop has not told its own id. */
  #ownId(): string {
    return idOfStart({ method: this.share.run.method, callId: this.firstCallId });
  }
}

/** Of this very start. The hop's overlord knows a later one of the same calls, signed anew, by the call id in it. */
function startId(firstCallId: string, document: string): string {
  return `${firstCallId}:start:${hash("sha256", document, "base64url")}`;
}

/** What goes to the hop. */
function requestOf({ run, minions, signed }: HopShare, call: SignedCall): DelegatedRequest {
  const { record, limit, nforks, deliverUntilMs } = run;
  const { left } = limit;
  const deliveryLimitMs = deliverUntilMs && Math.round(deliverUntilMs - performance.now());
  return {
    call,
    spec: record.spec,
    targets: minions.flatMap(({ name, path }): DelegatedTarget[] => {
      const target = signed.targets.get(name);
      return target ? [{ path: path.slice(1), ...target }] : [];
    }),
    nforks,
    ...(record.keepPlaces && { keepPlaces: true }),
    ...(record.timeoutMs !== undefined && { timeoutMs: record.timeoutMs }),
    ...(deliveryLimitMs !== undefined && deliveryLimitMs > 0 && { deliveryLimitMs }),
    ...(left !== undefined && { maxErrors: left }),
    ...(run.secret && { secret: true }),
    ...(record.childrenFirst && { childrenFirst: true }),
  };
}

/** Of an earlier process: those of one share have had one start. */
function knownJob({ past }: JobRun, [first]: readonly MinionBehind[]): string | undefined {
  return first && past.get(first.name)?.minionJobId;
}

function leave(
  { minions, hop }: HopShare,
  cause: string,
  mayHaveRun: boolean,
  denied = false,
  awayWith?: string,
): Started {
  const away = awayWith !== undefined && { awayWith };
  // the last try of the start may have run nothing, an earlier one all the same
  const told = mayHaveRun ? textOfAsking(cause) : cause;
  const failed = {
    failedHop: hop.name,
    cause: told,
    mayHaveRun,
    ...(denied && { denied }),
    ...away,
  };
  return { left: minions.map((minion) => ({ minion, ...failed })) };
}

async function endAll(
  { run, tools, hop, minions, isDoubtful }: HopShare,
  endingOf: (minion: MinionBehind) => Ending,
): Promise<Started> {
  await Promise.all(
    minions.map(async (minion) => {
      const { name } = minion;
      const known = endingOf(minion);
      const ending = { ...(isDoubtful(name) ? inDoubt(known, name) : known), via: [hop.name] };
      const peer = { ...hop, name };
      await tools.journal.ended(run.job, await settle(run.job, peer, ending, tools.keeper));
    }),
  );
  return { left: [] };
}

function stoppedEnding({ job, limit }: JobRun, hop: MinionRecord, minion: MinionBehind): Ending {
  return job.isCancelled ? cancelledResult({ ...hop, name: minion.name }) : limit.skipped(minion);
}
