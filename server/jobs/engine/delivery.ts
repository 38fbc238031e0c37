import type { MinionRecord } from "../../protocol/minions";
import { startOnce, type StartOutcome } from "./asyncStart";
import { callStateOf } from "./callState";
import { cancelStart } from "./cancelStart";
import type { JobRun, JobTools } from "./jobRun";
import { expiredResult, lostResult } from "./outcome";
import { Turns } from "./turns";

const AT_ONCE = 64;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
/** How long a host that may have started the work may be away (a reboot, a cut line). */
const MAX_AWAY_MS = 60 * 60_000;
/** Also where the job's own limit is short. */
const LEAST_AWAY_MS = 60_000;

/** Starts async calls on minions that were away at first, of all jobs together. */
export class Delivery {
  private readonly turns = new Turns(AT_ONCE);

  /**
   * Goes on after a first start that ended as `first`: until the minion is there, or the delivery limit has
   * passed, while nothing can have run; where it may have been started, until it says so. Never throws.
   */
  async goOn(
    run: JobRun,
    minion: MinionRecord,
    tools: JobTools,
    first: StartOutcome,
  ): Promise<StartOutcome> {
    const { job, limit } = run;
    const stopped = AbortSignal.any([job.signal, limit.signal]);
    const awayMs = Math.max(LEAST_AWAY_MS, Math.min(MAX_AWAY_MS, run.runLimitMs ?? Infinity));
    const giveUpMs = performance.now() + awayMs;
    let last = first;
    let mayHaveRun = false;
    let pauseMs = FIRST_PAUSE_MS;
    for (;;) {
      if (last.kind === "started" || last.kind === "ended") return last;
      mayHaveRun ||= last.kind === "unanswered";
      if (last.kind === "cancelled") break;
      if (!mayHaveRun && limit.isPassed && !job.signal.aborted) {
        return { kind: "ended", ending: limit.skipped(minion) };
      }
      if (!mayHaveRun && run.deliverUntilMs === undefined) {
        return { kind: "ended", ending: last.ending };
      }
      const untilMs = mayHaveRun ? giveUpMs : (run.deliverUntilMs ?? 0);
      const leftMs = untilMs - performance.now();
      const problem = last.ending.error?.message ?? "";
      if (leftMs <= 0) {
        const ending = mayHaveRun ? lostResult(minion, problem) : expiredResult(minion, problem);
        return { kind: "ended", ending };
      }
      if (!mayHaveRun) job.update(minion.name, { state: "queued" });
      // not all that were away at the same moment
      const jitteredMs = pauseMs * (0.5 + Math.random());
      await tools.seen.next(
        minion.name,
        Math.min(jitteredMs, leftMs),
        mayHaveRun ? job.signal : stopped,
      );
      if (job.signal.aborted) break;
      if (!mayHaveRun && limit.isPassed) continue;
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      const isLate =
        limit.isPassed ||
        (run.deliverUntilMs !== undefined && performance.now() > run.deliverUntilMs);
      const next = await this.turns
        .take(job.signal, () => this.again(run, minion, tools, mayHaveRun && isLate))
        .catch(() => undefined);
      if (!next) break;
      last = next;
    }
    return { kind: "ended", ending: await cancelStart(run, minion, tools, mayHaveRun) };
  }

  /** Past its time it is asked for, and not begun any more. */
  private async again(
    run: JobRun,
    minion: MinionRecord,
    tools: JobTools,
    isLate: boolean,
  ): Promise<StartOutcome> {
    if (isLate) {
      const { job } = run;
      const callId = job.callId(minion.name);
      const state = await callStateOf(tools.caller, minion, callId, job.signal);
      const why = "the start was not answered, and was never begun there.";
      if (state === "unknown") return { kind: "ended", ending: expiredResult(minion, why) };
      if (state === undefined) {
        const ending = lostResult(minion, "it does not tell whether the job was started.");
        return { kind: "unanswered", ending };
      }
    }
    return startOnce(run, minion, tools);
  }
}
