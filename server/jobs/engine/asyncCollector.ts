import { setTimeout as sleep } from "node:timers/promises";
import type { MinionCaller, MinionCallOutcome } from "../../calls/minionCaller";
import type { ErrorReason } from "../../common/errors";
import type { MinionRecord } from "../../protocol/minions";
import type { AnswerMemory } from "../../wire/answerMemory";
import type { XmlRpcValue } from "../../wire/value";
import { readJobAnswer, readProgress, type JobProgressReport } from "./jobAnswer";
import { lostResult, type Ending } from "./outcome";
import { askedResultOf, endedJob } from "./signedCalls";
import { Turns } from "./turns";

/** With those of OutputReads 2,000: each takes a connection and some memory at both ends. */
const MAX_HELD_WAITS = 1_500;
const MAX_POLLS = 64;
const WAIT_SECONDS = 25;
/** When others wait for their turn. */
const SHORT_WAIT_SECONDS = 5;
/** How much later than promised the answer to a wait may come; twice as much after each that did not. */
const WAIT_GRACE_MS = 15_000;
const LONGEST_GRACE_MS = 10 * 60_000;
const POLL_TIMEOUT_MS = 20_000;
const FIRST_PAUSE_MS = 250;
/** Progress is asked for no more often while a client watches the job, and while none does. */
const PROGRESS_WATCHED_MS = 500;
const PROGRESS_MS = 5_000;
/** Of minions that have to be asked apart. */
const PROGRESS_POLLED_MS = 2_000;
const LONGEST_PAUSE_MS = 5_000;
/** Without a limit of the job: how long a host may be away (a reboot, a cut line) with its result. */
const MAX_AWAY_MS = 60 * 60_000;

export interface Collection {
  minion: MinionRecord;
  minionJobId: string;
  /** See `signedCallId`. */
  callId: string | undefined;
  /** Point of performance.now() when the job's limit passes; undefined where it has none. */
  deadlineMs: number | undefined;
  signal: AbortSignal;
  /** Of the answers; the last one is still in use when the result is there. */
  memory: AnswerMemory;
  /** A client would see the progress. */
  isWatched: () => boolean;
  onProgress: (progress: JobProgressReport) => void;
}

/** How far a job has come by what it says itself. */
interface ProgressState {
  done: number;
  /** Point of performance.now() before which nobody asks. */
  nextMs: number;
}

/** Learns from minions how their jobs ended, for all async jobs of the overlord together. */
export class AsyncCollector {
  private readonly waits = new Turns(MAX_HELD_WAITS);
  private readonly polls = new Turns(MAX_POLLS);

  constructor(private readonly caller: MinionCaller) {}

  /**
   * The minion's final result; undefined where the signal was aborted before there was one. Asks until it has
   * one: a failing connection does not end the work over there. Never throws.
   */
  async collect(collection: Collection): Promise<Ending | undefined> {
    const { deadlineMs, minion, signal } = collection;
    // after a restart it is not known which kind it is: an original one says that it has no such method
    let longPoll = !(await this.caller.isOriginal(minion));
    let pause = FIRST_PAUSE_MS;
    let graceMs = WAIT_GRACE_MS;
    let awaySince: number | undefined;
    let problem = "";
    const progress: ProgressState = { done: 0, nextMs: 0 };
    for (;;) {
      if (signal.aborted) return undefined;
      const askedAt = performance.now();
      const outcome = await this.ask(collection, longPoll, graceMs, progress).catch(
        () => undefined,
      );
      if (!outcome) continue; // the signal ended the wait for a turn
      if (outcome.state === "succeeded" || outcome.answered) {
        awaySince = undefined;
        const ending = this.readEnding(outcome, collection, longPoll);
        if (ending === "ask-plainly") {
          longPoll = false;
          continue;
        }
        if (ending) return ending;
        const news = outcome.state === "succeeded" && readJobAnswer(outcome.value);
        if (news && news.kind === "running" && news.progress) {
          noteProgress(collection, progress, news.progress);
          pause = 0;
        } else if (!longPoll) await this.pollProgress(collection, progress);
        // a wait that was held needs no pause
        if (longPoll && performance.now() - askedAt > FIRST_PAUSE_MS) pause = 0;
      } else if (outcome.mayHaveRun && cannotBeTaken(outcome.reason)) {
        return { state: outcome.state, error: outcome.error, mayHaveRun: true };
      } else {
        // a large result may need longer on a slow line
        if (outcome.state === "timed-out") graceMs = Math.min(graceMs * 2, LONGEST_GRACE_MS);
        problem = outcome.error.message;
        awaySince ??= askedAt;
        if (performance.now() - awaySince > MAX_AWAY_MS) return lostResult(minion, problem);
      }
      if (deadlineMs !== undefined && performance.now() >= deadlineMs) {
        return awaySince === undefined ? timedOut(minion) : lostResult(minion, problem);
      }
      const untilDeadline = Math.max(1, (deadlineMs ?? Infinity) - performance.now());
      await sleep(Math.min(pause, untilDeadline), undefined, { signal }).catch(() => undefined);
      pause = Math.min(LONGEST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, pause * 1.5));
    }
  }

  /**
   * What a native minion's job ended with, where it does so within `seconds`; undefined where it does not, or
   * the minion cannot be asked. Never throws.
   */
  async end(
    minion: MinionRecord,
    minionJobId: string,
    seconds: number,
    memory: AnswerMemory,
  ): Promise<{ value: XmlRpcValue } | undefined> {
    const timeoutMs = seconds * 1_000 + WAIT_GRACE_MS;
    const options = { timeoutMs, signal: AbortSignal.timeout(2 * timeoutMs), memory };
    const outcome = await this.caller.call(minion, "jobs.wait", [minionJobId, seconds], options);
    if (outcome.state !== "succeeded") return undefined;
    const answer = readJobAnswer(outcome.value);
    return answer.kind === "finished" ? { value: answer.value } : undefined;
  }

  /** Throws only when the signal ends the wait for a turn. */
  private async ask(
    collection: Collection,
    longPoll: boolean,
    graceMs: number,
    progress: ProgressState,
  ): Promise<MinionCallOutcome> {
    const { minion, minionJobId, deadlineMs, signal, memory } = collection;
    if (!longPoll) {
      const options = {
        timeoutMs: Math.max(POLL_TIMEOUT_MS, graceWithin(graceMs, deadlineMs)),
        signal,
        memory,
      };
      return this.polls.take(signal, () =>
        this.caller.call(minion, "jobs.job_status", [minionJobId], options),
      );
    }
    return this.waits.take(signal, () => {
      const most = this.waits.waiting > 0 ? SHORT_WAIT_SECONDS : WAIT_SECONDS;
      const left = Math.max(0, Math.ceil(((deadlineMs ?? Infinity) - performance.now()) / 1_000));
      // between two reports only the end is waited for
      const quietMs = progress.nextMs - performance.now();
      const asksProgress = quietMs <= 0;
      const seconds = Math.min(most, left, asksProgress ? Infinity : quietMs / 1_000);
      const grace = graceWithin(graceMs, deadlineMs);
      const options = { timeoutMs: seconds * 1_000 + grace, signal, memory };
      const params = [minionJobId, seconds, ...(asksProgress ? [progress.done] : [])];
      return this.caller.call(minion, "jobs.wait", params, options);
    });
  }

  /** Of a minion that does not tell it with the rest, where somebody would see it. Never throws. */
  private async pollProgress(collection: Collection, progress: ProgressState): Promise<void> {
    const { minion, minionJobId, signal } = collection;
    if (!collection.isWatched() || performance.now() < progress.nextMs) return;
    const options = { timeoutMs: POLL_TIMEOUT_MS, signal };
    const outcome = await this.polls
      .take(signal, () => this.caller.call(minion, "jobs.get_progress", [minionJobId], options))
      .catch(() => undefined);
    const report = outcome?.state === "succeeded" ? readProgress(outcome.value) : undefined;
    if (report) noteProgress(collection, progress, report);
    progress.nextMs = performance.now() + PROGRESS_POLLED_MS;
  }

  /** The final result where there is one yet. */
  private readEnding(
    outcome: MinionCallOutcome,
    { minion, callId }: Collection,
    longPoll: boolean,
  ): Ending | "ask-plainly" | undefined {
    const answer =
      outcome.state === "succeeded"
        ? readJobAnswer(outcome.value)
        : readJobAnswer(["REMOTE_ERROR", outcome.error.type, outcome.error.message]);
    switch (answer.kind) {
      case "running":
        return undefined;
      case "finished":
        return askedResultOf(endedJob(answer.value, callId), minion);
      case "lost":
        return lostResult(minion, "the host no longer knows this job.");
      case "no-such-method":
      case "error":
        if (longPoll) return "ask-plainly";
        if (outcome.state !== "succeeded") return { state: outcome.state, error: outcome.error };
        return lostResult(minion, "what the host says about its job cannot be understood.");
    }
  }
}

function noteProgress(
  { isWatched, onProgress }: Collection,
  progress: ProgressState,
  report: JobProgressReport,
): void {
  // what was written between two reports is told by the next
  if (report.done !== progress.done) {
    onProgress(report);
    progress.nextMs = performance.now() + (isWatched() ? PROGRESS_WATCHED_MS : PROGRESS_MS);
  }
  progress.done = report.done;
}

/** The result is there, and would be refused again. */
function cannotBeTaken(reason: ErrorReason | undefined): boolean {
  return reason === "too-large" || reason === "unavailable";
}

/** A job's limit is passed by the first grace at most. */
function graceWithin(graceMs: number, deadlineMs: number | undefined): number {
  return Math.max(WAIT_GRACE_MS, Math.min(graceMs, (deadlineMs ?? Infinity) - performance.now()));
}

function timedOut(minion: MinionRecord): Ending {
  return {
    state: "timed-out",
    mayHaveRun: true,
    error: {
      type: "socket.timeout",
      message: `(110, 'Operation timed out.'): ${minion.name} did not finish within the job's time limit.`,
      trace: "",
      nextStep: `It still runs on ${minion.name}: "func jobs cancel" with the job stops it there.`,
    },
  };
}
