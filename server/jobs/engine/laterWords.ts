import type { MinionCaller } from "../../calls/minionCaller";
import { isPassing } from "../../calls/overlordErrors";
import type { SeenMinions } from "../../calls/seenMinions";
import type { Log } from "../../common/log";
import { onAbort } from "../../common/onAbort";
import { RareWarning } from "../../common/rareWarning";
import { isCommandRun, type LaterWord } from "../../protocol/jobs";
import { AnswerMemory } from "../../wire/answerMemory";
import { callIdIn } from "../jobId";
import type { JobRecord, JobStore } from "../store/storeTypes";
import { HostLines } from "./hostLines";
import { readJobAnswer } from "./jobAnswer";
import { laterWordOf } from "./laterWord";
import type { HopCaller } from "./minionsBehind";
import { stoppedResult } from "./outcome";
import type { Cancel } from "./pendingCancels";
import { RecentRecords } from "./recentRecords";
import { askedResultOf, endedJob } from "./signedCalls";
import { wasStopped } from "./wasStopped";

const FIRST_PAUSE_MS = 1_000;
const LAST_PAUSE_MS = 5 * 60_000;
/** A word is there after half as long again as it took, at most. */
const PAUSE_FACTOR = 1.5;
/** Questions are not held: others wait for their turn at the same host. */
const WAIT_SECONDS = 0;
const TIMEOUT_MS = 15_000;
/** Of all hosts together. */
const AT_ONCE = 256;
const MAX_FOLLOWED = 20_000;
/** Nobody keeps the result of a job for so long without being asked for it. */
const GIVE_UP_MS = 7 * 24 * 60 * 60_000;
/** Whoever does not know a job for so long will not begin it. */
const UNKNOWN_MS = 60_000;
/** So long the overlord stays for a word. */
const STAY_MS = 10 * 60_000;

/** What became of calls that had no end of their own when they ended here. */
export interface LaterEnds {
  /** By minion, those that have one. */
  words: ReadonlyMap<string, LaterWord>;
  /** Whether the others may have one when they are asked again. */
  isOpen: boolean;
  /** Nobody has answered. */
  isAway?: boolean;
  /** Who was asked does not know the job. It may begin it yet: a start can have been on its way while all stood still. */
  isUnknown?: boolean;
}

const NOTHING: LaterEnds = { words: new Map(), isOpen: false };
const AGAIN: LaterEnds = { ...NOTHING, isOpen: true };
const AWAY: LaterEnds = { ...AGAIN, isAway: true };

export interface LaterWordsParts {
  caller: MinionCaller;
  seen: SeenMinions;
  store: Pick<JobStore, "record">;
  hops: HopCaller;
  log: Log;
  /**
   * The minion's word, or that none will come. False where that is too early: the end of the call is not on
   * record yet.
   */
  onWord: (call: Cancel, minion: string, word: LaterWord | undefined) => boolean;
}

/** Learns how calls ended that were given up here, or cancelled, before anybody could tell. */
export class LaterWords {
  private readonly followed = new Map<Cancel, number>();
  private readonly lines = new HostLines(AT_ONCE, AWAY);
  private readonly closing = new AbortController();
  private readonly tooMany: RareWarning;
  private readonly records: RecentRecords;

  constructor(private readonly parts: LaterWordsParts) {
    this.records = new RecentRecords(parts.store);
    const message = "too many calls wait for the word of how they ended; one is given up";
    this.tooMany = new RareWarning(parts.log, message);
  }

  /** True while a young call waits for its word. */
  get isTrying(): boolean {
    const since = performance.now() - STAY_MS;
    return [...this.followed.values()].some((atMs) => atMs > since);
  }

  /** The call (its `id` is that of the job there) has ended here, or will in a moment. */
  add(call: Cancel): void {
    if (this.followed.size >= MAX_FOLLOWED) {
      this.tooMany.warn({ job: call.jobId, minion: call.minion.name });
      return;
    }
    this.followed.set(call, performance.now());
    void this.follow(call);
  }

  close(): void {
    this.closing.abort();
  }

  /** Never rejects. */
  private async follow(call: Cancel): Promise<void> {
    const { signal } = this.closing;
    const { minion, sinceMs, names = [minion.name] } = call;
    const open = new Set(names);
    let pauseMs = FIRST_PAUSE_MS;
    let wasAway = false;
    let unknownSinceMs: number | undefined;
    while (open.size > 0) {
      // whoever is told to stop needs a moment, and so does the disk
      await this.pause(wasAway ? minion.name : undefined, pauseMs);
      if (signal.aborted) return;
      pauseMs = Math.min(pauseMs * PAUSE_FACTOR, LAST_PAUSE_MS);
      const ask = (): Promise<LaterEnds> => this.ask(call, [...open]);
      // what failed here, as the store may, says nothing of the call
      const answer = await this.lines.ask(minion.name, signal, ask).catch(() => AGAIN);
      const { words, isOpen, isAway = false, isUnknown = false } = answer;
      wasAway = isAway;
      if (isUnknown) unknownSinceMs ??= performance.now();
      const mayBegin = isUnknown && performance.now() - (unknownSinceMs ?? 0) < UNKNOWN_MS;
      const isLast = (!isOpen && !mayBegin) || Date.now() - sinceMs > GIVE_UP_MS;
      for (const name of open) {
        const word = words.get(name);
        if ((word || isLast) && this.parts.onWord(call, name, word)) open.delete(name);
      }
    }
    this.followed.delete(call);
  }

  /** A sign of life of who is `away` ends a long one; after that it is a short one at least. */
  private async pause(away: string | undefined, ms: number): Promise<void> {
    const { signal } = this.closing;
    await restFor(FIRST_PAUSE_MS, signal);
    const leftMs = ms * (0.75 + Math.random() / 2) - FIRST_PAUSE_MS;
    if (leftMs <= 0) return;
    if (away === undefined) await restFor(leftMs, signal);
    else await this.parts.seen.next(away, leftMs, signal);
  }

  private async ask(call: Cancel, names: readonly string[]): Promise<LaterEnds> {
    const record = await this.records.read(call.jobId);
    if (!record) return NOTHING;
    if (!call.names) return record.async ? this.askMinion(call, record) : NOTHING;
    const wanted = new Set(names);
    const asked = record.minions.flatMap(({ name, path, identity }) => {
      if (!path || !wanted.has(name)) return [];
      const minion = { name, path, ...(identity !== undefined && { identity }) };
      return [{ minion, callId: callIdIn(record, name, call.attempt) }];
    });
    const isCommand = isCommandRun(record);
    const { signal } = this.closing;
    const { minion: hop, id: hopJobId } = call;
    const isForAbove = record.above !== undefined;
    return this.parts.hops.laterEnds({ hop, hopJobId, asked, isCommand, isForAbove, signal });
  }

  /** Only native ones can be told to stop, and so asked afterwards. */
  private async askMinion({ minion, id, attempt }: Cancel, record: JobRecord): Promise<LaterEnds> {
    const { name } = minion;
    const memory = new AnswerMemory();
    const { signal } = this.closing;
    try {
      const options = { timeoutMs: TIMEOUT_MS, signal, memory };
      const outcome = await this.parts.caller.call(
        minion,
        "jobs.wait",
        [id, WAIT_SECONDS],
        options,
      );
      if (outcome.state !== "succeeded") {
        if (!outcome.answered) return AWAY;
        return isPassing(outcome.error.type) ? AGAIN : NOTHING;
      }
      const answer = readJobAnswer(outcome.value);
      if (answer.kind !== "finished") return answer.kind === "running" ? AGAIN : NOTHING;
      const callId = record.above && callIdIn(record, name, attempt);
      const isCommand = isCommandRun(record);
      const asked = endedJob(answer.value, callId);
      const ending = wasStopped(asked.outcome, isCommand)
        ? stoppedResult(minion)
        : askedResultOf(asked, minion);
      const word = laterWordOf({ teller: name, minion: name, ending, isCommand });
      return { words: new Map([[name, word]]), isOpen: false };
    } finally {
      memory.release();
    }
  }
}

/** Does not keep the process. */
async function restFor(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => {
      stopListening();
      resolve();
    }, ms).unref();
    const stopListening = onAbort(signal, () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
