import { peerOf } from "../../calls/minionCaller";
import type { Place } from "../../calls/place";
import type { MinionRecord } from "../../protocol/minions";
import { callErrorOf } from "../../wire/remoteError";
import { isJobId, noJobIdText } from "../jobId";
import type { JobRun, JobTools } from "./jobRun";
import { cancelledResult, lostResult, type Ending } from "./outcome";
import { askedResultOf, callAsAsked } from "./signedCalls";

/** So long is a start that has left waited for once it is cancelled: its answer has the id to cancel by. */
const CANCELLED_START_MS = 5_000;

export type StartOutcome =
  | { kind: "started"; minionJobId: string }
  | { kind: "ended"; ending: Ending }
  /** Not delivered: nothing has run. */
  | { kind: "away"; ending: Ending }
  /** Cancelled before it left: this one has run nothing, an earlier one may have. */
  | { kind: "cancelled"; ending: Ending }
  /** A native minion may have started it. Asked again with the same call id it answers the same job. */
  | { kind: "unanswered"; ending: Ending };

/** Asks one minion to start the method. Never throws. */
export async function startOnce(
  run: JobRun,
  minion: MinionRecord,
  tools: JobTools,
  place?: Place,
): Promise<StartOutcome> {
  const { job, timeoutMs } = run;
  const { caller, journal, cancels } = tools;
  const { name } = minion;
  const attempt = job.attemptOf(name);
  const callId = job.callId(name);
  const stop = new StartStop(job.signal, () => job.isSuspended);
  let refused: Ending | undefined;
  job.update(name, { state: "sent", startedAtMs: Date.now() });
  const asked = await callAsAsked(run, minion, caller, {
    timeoutMs,
    signal: stop.signal,
    callId,
    beforeSending: async () => {
      if (run.keepPlaces) await place?.keep();
      if (place && run.limit.isPassed && !run.past.has(name)) refused = run.limit.skipped(minion);
      else if (await caller.isOriginal(minion)) refused = await writeSent(run, minion, tools);
      if (refused) stop.now();
    },
    onSent: () => {
      stop.sent();
    },
  });
  const { outcome } = asked;
  stop.dispose();
  if (refused) return { kind: "ended", ending: refused };
  const isOriginal = await caller.isOriginal(minion);
  if (outcome.state === "succeeded") {
    const { value } = outcome;
    if (!isJobId(value)) {
      return { kind: "ended", ending: lostResult(minion, noJobIdText(value)) };
    }
    await journal.started(job, name, value, isOriginal || run.secret);
    job.update(name, { state: "running", minionJobId: value });
    return { kind: "started", minionJobId: value };
  }
  const ending = askedResultOf(asked, minion);
  if (outcome.state === "cancelled") {
    if (!outcome.mayHaveRun) return { kind: "cancelled", ending: cancelledResult(minion) };
    return {
      kind: "ended",
      ending: await cancels.end(ending, { job, minion, attempt, id: callId }),
    };
  }
  if (outcome.mayHaveRun) {
    if (!isOriginal) return { kind: "unanswered", ending };
    // without the id nobody can ask
    return { kind: "ended", ending: lostResult(minion, outcome.error.message) };
  }
  const isAway = outcome.state === "unreachable" || outcome.state === "timed-out";
  return { kind: isAway ? "away" : "ended", ending };
}

/** Of a minion that may have been called before: what did not reach it now does not mean that nothing has run. */
export function mayBeThere(outcome: StartOutcome): StartOutcome {
  const { kind } = outcome;
  return kind === "away" || kind === "cancelled" ? { ...outcome, kind: "unanswered" } : outcome;
}

/** A minion that cannot tell a repeat is only called once that is on record; else why it is not. */
async function writeSent(
  { job, incomplete }: JobRun,
  minion: MinionRecord,
  { journal }: JobTools,
): Promise<Ending | undefined> {
  if (incomplete) {
    return lostResult(minion, "what was written of the job is damaged; it may have run.");
  }
  try {
    await journal.sent(job, minion.name);
    return undefined;
  } catch (error) {
    return { state: "failed", error: callErrorOf(error, peerOf(minion)) };
  }
}

/** Ends a start that is cancelled: at once before it has left, later where its answer may still come. */
class StartStop {
  private readonly controller = new AbortController();
  private hasLeft = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly cancelled: AbortSignal,
    private readonly isSuspended: () => boolean,
  ) {
    cancelled.addEventListener("abort", this.onAbort);
    if (cancelled.aborted) this.onAbort();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  sent(): void {
    this.hasLeft = true;
  }

  now(): void {
    this.controller.abort();
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.cancelled.removeEventListener("abort", this.onAbort);
  }

  private readonly onAbort = (): void => {
    if (!this.hasLeft || this.isSuspended()) {
      this.now();
      return;
    }
    this.timer = setTimeout(() => {
      this.now();
    }, CANCELLED_START_MS);
  };
}
