import { setMaxListeners } from "node:events";
import { FuncError } from "../common/errors";
import {
  FINAL_STATES,
  isFailedCommand,
  type JobProgress,
  type JobSummary,
  type MinionCallState,
  type MinionResult,
} from "../protocol/jobs";
import { codeOf } from "./jobCode";
import { callIdIn } from "./jobId";
import { entryOf, shownBytes, shownPage, shownResult, type JobEntry } from "./jobEntry";
import { JobValues } from "./jobValues";
import type { JobView } from "./jobView";
import { ProgressFeed } from "./progressFeed";
import type { JobRecord, StoredResult } from "./store/storeTypes";
import type { KeptValue } from "./outputs/valueKeeper";

/** What a minion's part of a job takes in memory beside value and error. */
const ENTRY_BYTES = 400;
/** The part of a long target expression that goes with every progress message. */
const SHOWN_SPEC_LENGTH = 2_000;

type Told = "id" | "spec" | "module" | "method" | "argsText" | "async";
type MayBeTold =
  | "exclude"
  | "createdAtMs"
  | "startedBy"
  | "delegate"
  | "mapFile"
  | "above"
  | "warning"
  | "batch"
  | "maxErrors";

/** What clients are told of a job whatever becomes of it. */
export type JobDescription = Pick<JobRecord, Told> &
  Partial<Pick<JobRecord, MayBeTold>> & { background?: boolean; minions: JobRecord["minions"] };

/** How far a job of the store has come. */
export interface JobPast {
  results: readonly StoredResult[];
  cancelRequested: boolean;
  finishedAtMs?: number;
}

/** One call on many minions: where each stands, and what changed since clients were last told. */
export class Job implements JobView {
  readonly createdAtMs: number;
  finishedAtMs: number | undefined;
  /** True where all of it is in the store, so that it need not stay in memory. */
  isKept = false;
  private readonly entries = new Map<string, JobEntry>();
  private readonly paths = new Map<string, readonly string[]>();
  /** Minions whose final result is being written. */
  private readonly ending = new Set<string>();
  private readonly values = new JobValues();
  private readonly counts = new Map<MinionCallState, number>();
  private failedCommands = 0;
  private readonly feed: ProgressFeed;
  private controller = new AbortController();
  private cancelRequested = false;
  private suspended = false;
  private attempts = 1;
  private readonly finishListeners: (() => void)[] = [];
  private readonly endingListeners = new Set<(result: MinionResult) => void>();

  constructor(
    private readonly description: JobDescription,
    past?: JobPast,
  ) {
    this.createdAtMs = description.createdAtMs ?? Date.now();
    for (const peer of description.minions) {
      const result: MinionResult = { minion: peer.name, state: "queued" };
      if (peer.path) this.paths.set(peer.name, peer.path);
      this.entries.set(peer.name, { peer, result, valueBytes: 0, outputs: [] });
    }
    for (const stored of past?.results ?? []) this.restore(stored);
    for (const { result } of this.entries.values()) this.countIn(result);
    this.finishedAtMs = past?.finishedAtMs;
    this.feed = new ProgressFeed(
      () => this.summary({ whole: false }),
      (minion) => {
        const entry = this.entries.get(minion);
        return entry && shownResult(entry);
      },
    );
    this.renewSignal();
    if (past?.cancelRequested) this.cancel();
  }

  get id(): string {
    return this.description.id;
  }

  get isAsync(): boolean {
    return this.description.async;
  }

  /** True for calls of command.run, whose answer begins with the exit status. */
  get isCommand(): boolean {
    return this.description.module === "command" && this.description.method === "run";
  }

  /** About what values and errors take in memory. */
  get valueBytes(): number {
    return this.values.bytes;
  }

  /** About what the job takes in memory. */
  get memoryBytes(): number {
    return this.valueBytes + this.entries.size * ENTRY_BYTES;
  }

  get isBackground(): boolean {
    return this.description.background ?? false;
  }

  /** Aborted when the job is cancelled, or suspended. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  get finished(): boolean {
    return this.finishedAtMs !== undefined;
  }

  get isCancelled(): boolean {
    return this.cancelRequested;
  }

  /** True while a client hears what changes. */
  get isWatched(): boolean {
    return this.feed.isHeard;
  }

  /** True where this process has let go of it: another one will go on. */
  get isSuspended(): boolean {
    return this.suspended;
  }

  /** Minions that have no final state yet. */
  get open(): number {
    return this.entries.size - this.finalCount();
  }

  /** Without a final state. */
  get openMinions(): string[] {
    return [...this.entries.values()].flatMap((entry) =>
      this.isOpen(entry) ? [entry.result.minion] : [],
    );
  }

  /** The number that `again` gives. */
  get nextAttempt(): number {
    return this.attempts + 1;
  }

  /** Which attempt the minion is at. */
  attemptOf(minion: string): number {
    return this.entries.get(minion)?.result.attempt ?? 1;
  }

  /** The hops to a minion behind sub-overlords, and its own name; undefined for this overlord's own. */
  pathTo(minion: string): readonly string[] | undefined {
    return this.paths.get(minion);
  }

  /** Names the minion's present attempt, there and on the way to it. */
  callId(minion: string): string {
    return callIdIn(this.description, minion, this.attemptOf(minion));
  }

  /**
   * Moves a minion on; ignored once it is in a final state, or about to be, so that an answer that comes
   * after a cancel or a limit changes nothing. What is already known (its job id) stays.
   */
  update(minion: string, change: Omit<MinionResult, "minion">): void {
    if (FINAL_STATES.has(change.state)) {
      const ended = this.complete(minion, change);
      if (ended) this.end(ended);
      return;
    }
    const entry = this.entries.get(minion);
    if (!entry || !this.isOpen(entry)) return;
    this.put({ ...entry, result: { ...entry.result, ...change } });
  }

  /**
   * The minion's final result, which is to be given to `end` once it is written; undefined where it has one
   * already. A value is to be given as it is kept (`kept`), where it can be large.
   */
  complete(
    minion: string,
    { receipt, ...change }: Omit<MinionResult, "minion"> & Pick<JobEntry, "receipt">,
    kept?: KeptValue,
  ): JobEntry | undefined {
    const entry = this.entries.get(minion);
    if (!entry || !this.isOpen(entry)) return undefined;
    this.ending.add(minion);
    const ended: JobEntry = {
      ...entry,
      result: { ...entry.result, ...change },
      ...(receipt && { receipt }),
    };
    for (const listener of this.endingListeners) listener(ended.result);
    this.values.complete(ended, kept);
    return ended;
  }

  /** Puts a final result in its place; where it is the last one, the job has finished at `atMs`. */
  end(entry: JobEntry, atMs = Date.now()): void {
    if (this.suspended) return;
    this.ending.delete(entry.result.minion);
    this.put(entry);
    this.finishWhenDone(atMs);
  }

  /** Finishes where no minion is left, as after a crash right before that. */
  finishWhenDone(atMs = Date.now()): void {
    if (this.open === 0 && !this.finished) this.finish(atMs);
  }

  /** Tells something more about a final result. */
  amend(minion: string, change: Pick<MinionResult, "cancelPending" | "warning" | "later">): void {
    const entry = this.entries.get(minion);
    if (entry) this.put({ ...entry, result: { ...entry.result, ...change } });
  }

  /** Asks all that is under way to end; each minion gets its final state from whoever runs it. */
  cancel(): void {
    if (this.finished || this.signal.aborted) return;
    this.cancelRequested = true;
    this.controller.abort();
    this.feed.schedule();
  }

  /** Ends all that is under way without a word about it: another process goes on from what was written. */
  suspend(): void {
    this.suspended = true;
    this.controller.abort();
    this.feed.stop();
  }

  /** The minions have their next attempt before them; the job runs again. */
  again(minions: readonly string[]): void {
    this.attempts = this.nextAttempt;
    this.finishedAtMs = undefined;
    this.isKept = false;
    this.cancelRequested = false;
    if (this.signal.aborted) this.renewSignal();
    for (const minion of minions) {
      const entry = this.entries.get(minion);
      if (!entry) continue;
      const result: MinionResult = { minion, state: "queued", attempt: this.attempts };
      this.put({ peer: entry.peer, result, valueBytes: 0, outputs: [] });
    }
  }

  summary({ whole = true } = {}): JobSummary {
    const { id, spec, exclude, module, method, argsText, async, background } = this.description;
    const { startedBy, delegate, mapFile, above, warning, batch, maxErrors } = this.description;
    const shown = (text: string): string =>
      whole || text.length <= SHOWN_SPEC_LENGTH ? text : `${text.slice(0, SHOWN_SPEC_LENGTH)}...`;
    const counts = Object.fromEntries(this.counts);
    return {
      id,
      spec: shown(spec),
      ...(exclude !== undefined && { exclude: shown(exclude) }),
      module,
      method,
      argsText,
      async,
      ...(background && { background }),
      ...(startedBy && { startedBy }),
      ...(delegate && { delegate }),
      ...(mapFile !== undefined && { mapFile }),
      ...(above && { originator: above.originator }),
      ...(warning !== undefined && { warning }),
      ...(batch && { batch }),
      ...(maxErrors !== undefined && { maxErrors }),
      ...(this.attempts > 1 && { attempts: this.attempts }),
      createdAtMs: this.createdAtMs,
      ...(this.finishedAtMs !== undefined && { finishedAtMs: this.finishedAtMs }),
      finished: this.finished,
      cancelRequested: this.cancelRequested,
      code: codeOf({ finished: this.finished, async, counts }),
      total: this.entries.size,
      counts,
      ...(this.failedCommands > 0 && { failedCommands: this.failedCommands }),
    };
  }

  /** How it stands, with the results of the first `most` minions; progress goes on with the next `seq`. */
  snapshot(most?: number): JobProgress {
    this.feed.flush();
    const results = shownPage(this.page(0, most));
    return { seq: this.feed.seq, summary: this.summary(), results };
  }

  page(from: number, most = Infinity): JobEntry[] {
    return [...this.entries.values()].slice(from, from + most);
  }

  /** Where the job stands, without results: tells a client that missed some progress that it did. */
  headline(): JobProgress {
    return { seq: this.feed.seq, summary: this.summary({ whole: false }), results: [] };
  }

  entry(minion: string): JobEntry {
    const entry = this.entries.get(minion.toLowerCase());
    if (entry) return entry;
    throw notInJob(minion, this.id);
  }

  /** One minion's whole result. Throws FuncError "not-found". */
  result(minion: string): MinionResult {
    return this.entry(minion).result;
  }

  /** All minions in the job's order, as they stand. */
  listEntries(): JobEntry[] {
    return this.page(0);
  }

  onProgress(listener: (progress: JobProgress) => void): { dispose(): void } {
    return this.feed.onProgress(listener);
  }

  /** Tells each final result at once, before it is written. */
  onEnding(listener: (result: MinionResult) => void): { dispose(): void } {
    this.endingListeners.add(listener);
    return { dispose: () => void this.endingListeners.delete(listener) };
  }

  /** Calls the listener once, when the last minion reaches its final state. */
  onFinished(listener: () => void): void {
    this.finishListeners.push(listener);
  }

  private isOpen({ result }: JobEntry): boolean {
    return !this.suspended && !FINAL_STATES.has(result.state) && !this.ending.has(result.minion);
  }

  private finalCount(): number {
    let sum = 0;
    for (const [state, count] of this.counts) if (FINAL_STATES.has(state)) sum += count;
    return sum;
  }

  private put(entry: JobEntry): void {
    const { minion } = entry.result;
    const before = this.entries.get(minion);
    if (before) this.uncount(before.result);
    this.countIn(entry.result);
    this.entries.set(minion, entry);
    this.feed.changed(minion, shownBytes(entry));
  }

  private restore(stored: StoredResult): void {
    const entry = this.entries.get(stored.minion);
    if (!entry) return;
    this.attempts = Math.max(this.attempts, stored.attempt);
    this.entries.set(stored.minion, this.values.restore(entryOf(stored, entry.peer)));
  }

  private countIn(result: MinionResult): void {
    this.count(result.state, 1);
    if (isFailedCommand(result)) this.failedCommands++;
  }

  private uncount(result: MinionResult): void {
    this.count(result.state, -1);
    if (isFailedCommand(result)) this.failedCommands--;
  }

  private count(state: MinionCallState, change: number): void {
    const count = (this.counts.get(state) ?? 0) + change;
    if (count === 0) this.counts.delete(state);
    else this.counts.set(state, count);
  }

  private finish(atMs: number): void {
    this.finishedAtMs = atMs;
    this.feed.flush(true);
    for (const listener of this.finishListeners.splice(0)) listener();
  }

  private renewSignal(): void {
    this.controller = new AbortController();
    // each call under way listens to it
    setMaxListeners(0, this.controller.signal);
  }
}

export function notInJob(minion: string, jobId: string): FuncError {
  const message = `The minion "${minion.slice(0, 100)}" is not part of job ${jobId}.`;
  return new FuncError("not-found", message);
}
