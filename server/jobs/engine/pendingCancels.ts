import { setTimeout as sleep } from "node:timers/promises";
import type { CancelAnswer } from "../../calls/cancelTeller";
import type { MinionCaller } from "../../calls/minionCaller";
import { isPassing } from "../../calls/overlordErrors";
import type { SeenMinions } from "../../calls/seenMinions";
import type { Log } from "../../common/log";
import { RareWarning } from "../../common/rareWarning";
import type { MinionRecord } from "../../protocol/minions";
import { cancelAtHop } from "./cancelAtHop";
import type { Job } from "../job";
import type { Ending } from "./outcome";
import { Turns } from "./turns";

/** Whoever cancels does not wait longer for minions that may be away. */
const ANSWER_MS = 2_000;
/** Its overlord may have to be started. */
const HOP_MS = 10_000;
const FIRST_RETRY_MS = 5_000;
const LAST_RETRY_MS = 5 * 60_000;
const AT_ONCE = 64;
const MAX_PENDING = 20_000;
/** A minion that was away for so long keeps nothing of the call. */
const GIVE_UP_MS = 7 * 24 * 60 * 60_000;
/** So long after a cancel the overlord stays for the minions that do not know of it. */
const TRY_FOR_MS = 24 * 60 * 60_000;

export interface Cancel {
  jobId: string;
  minion: MinionRecord;
  attempt: number;
  /** The minion's job id, or the call id of what may have been started. */
  id: string;
  /** When it was cancelled. */
  sinceMs: number;
  /** The minions behind the hop `minion` that the job under this id is for; without them it is the minion's own. */
  names?: readonly string[];
  /** The hop may have begun it beside the one that the call went on over (event "doubted"). */
  isDoubt?: boolean;
}

/** What one minion is to be told. */
interface Untold {
  readonly cancels: Set<Cancel>;
  /** Until it is tried again, where it gives no sign of life; longer each time. */
  pauseMs: number;
  timer: NodeJS.Timeout | undefined;
}

/** Cancels that have not reached their minions: they are told when they are there again. */
export class PendingCancels {
  private readonly pending = new Map<string, Untold>();
  /** Of all minions together. */
  private count = 0;
  private readonly telling = new Set<string>();
  private readonly closing = new AbortController();
  private readonly turns = new Turns(AT_ONCE);
  private readonly tooMany: RareWarning;

  constructor(
    private readonly caller: MinionCaller,
    seen: SeenMinions,
    log: Log,
    /** The minion knows, or need not know any more. */
    private readonly onTold: (cancel: Cancel) => void,
  ) {
    const message = "too many cancels wait for minions that are away; one is given up";
    this.tooMany = new RareWarning(log, message);
    seen.onSeen(({ name }) => {
      if (this.pending.has(name)) void this.tellPending(name);
    });
  }

  /** True while there is a young one. */
  get isTrying(): boolean {
    const since = Date.now() - TRY_FOR_MS;
    return [...this.pending.values()].some(({ cancels }) =>
      [...cancels].some(({ sinceMs }) => sinceMs > since),
    );
  }

  /** Tells the minion; where it is away, it is told later. Never throws. */
  async tell(cancel: Cancel): Promise<CancelAnswer> {
    const telling = this.ask(cancel);
    const late = sleep(ANSWER_MS, "away" as const, { ref: false });
    const answer = await Promise.race([telling, late]);
    if (answer === "away") this.add(cancel);
    return answer;
  }

  /** Tells the minion, and adds to the result of a cancelled call whether it still has to be told. */
  async end(
    ending: Ending,
    { job, ...rest }: Omit<Cancel, "jobId" | "sinceMs"> & { job: Job },
  ): Promise<Ending> {
    if (job.isSuspended) return ending;
    const answer = await this.tell({ ...rest, jobId: job.id, sinceMs: Date.now() });
    return answer === "away" ? { ...ending, cancelPending: true } : ending;
  }

  /** It is told later. */
  add(cancel: Cancel): void {
    const { name } = cancel.minion;
    if (this.count >= MAX_PENDING) {
      this.tooMany.warn({ minion: name });
      return;
    }
    const untold = this.pending.get(name) ?? newUntold();
    this.pending.set(name, untold);
    if (untold.cancels.has(cancel)) return;
    untold.cancels.add(cancel);
    this.count++;
    // how long others, or itself before, have been away says nothing of it now
    if (untold.timer && untold.pauseMs === FIRST_RETRY_MS) return;
    untold.pauseMs = FIRST_RETRY_MS;
    this.plan(name, untold);
  }

  close(): void {
    this.closing.abort();
    for (const { timer } of this.pending.values()) clearTimeout(timer);
  }

  private async tellPending(name: string): Promise<void> {
    // an answer to this very question is a sign of life too
    if (this.telling.has(name)) return;
    this.telling.add(name);
    try {
      // with those that come meanwhile
      for (const cancel of this.pending.get(name)?.cancels ?? []) {
        const isOld = Date.now() - cancel.sinceMs > GIVE_UP_MS;
        const answer = await this.ask(cancel);
        if (this.closing.signal.aborted) return;
        if (answer === "away" && !isOld) return;
        this.remove(name, cancel);
        this.onTold(cancel);
      }
    } finally {
      this.telling.delete(name);
    }
  }

  private ask({ minion, id, names }: Cancel): Promise<CancelAnswer> {
    return names ? tellHop(this.caller, minion, id) : this.caller.tellCancel(minion, id);
  }

  private remove(name: string, cancel: Cancel): void {
    const untold = this.pending.get(name);
    if (!untold?.cancels.delete(cancel)) return;
    this.count--;
    if (untold.cancels.size > 0) return;
    clearTimeout(untold.timer);
    this.pending.delete(name);
  }

  private plan(name: string, untold: Untold): void {
    clearTimeout(untold.timer);
    if (this.closing.signal.aborted) return;
    const inMs = untold.pauseMs * (0.75 + Math.random() / 2);
    untold.timer = setTimeout(() => void this.retry(name, untold), inMs).unref();
  }

  /** Never rejects. */
  private async retry(name: string, untold: Untold): Promise<void> {
    untold.pauseMs = Math.min(untold.pauseMs * 2, LAST_RETRY_MS);
    const tell = (): Promise<void> => this.tellPending(name);
    await this.turns.take(this.closing.signal, tell).catch(() => undefined);
    if (this.pending.get(name) === untold) this.plan(name, untold);
  }
}

function newUntold(): Untold {
  return { cancels: new Set(), pauseMs: FIRST_RETRY_MS, timer: undefined };
}

async function tellHop(
  caller: MinionCaller,
  hop: MinionRecord,
  hopJobId: string,
): Promise<CancelAnswer> {
  const outcome = await cancelAtHop(caller, hop, hopJobId, HOP_MS);
  if (outcome.state === "succeeded") return outcome.value === true ? "stops" : "nothing";
  // its funcd alone has answered: the overlord beside it may hang, and go on with the job later
  return outcome.answered && !isPassing(outcome.error.type) ? "nothing" : "away";
}
