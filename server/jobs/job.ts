import { setMaxListeners } from "node:events";
import { FuncError } from "../common/errors";
import {
  FINAL_STATES,
  JOB_ID_FINISHED,
  JOB_ID_PARTIAL,
  JOB_ID_RUNNING,
  type JobCode,
  type JobProgress,
  type JobSummary,
  type MinionCallState,
  type MinionResult,
} from "../protocol/jobs";
import { JobValues } from "./jobValues";
import type { DigestPeer } from "./resultDigest";
import type { KeptValue } from "./valueKeeper";
import { shownBytes, shownResult, type JobEntry } from "./jobEntry";

/** Fast enough to look immediate, slow enough to save nine of ten messages (PERFORMANCE 7). */
const FLUSH_MS = 40;
const FLUSH_ENTRIES = 200;
const FLUSH_BYTES = 65_536;
/** All values together in one answer to `jobs/watch`. */
const SNAPSHOT_VALUE_BYTES = 4_000_000;
/** What a minion's part of a job takes in memory beside value and error. */
const ENTRY_BYTES = 400;
/** The part of a long target expression that goes with every progress message. */
const SHOWN_SPEC_LENGTH = 2_000;

export interface JobDescription {
  id: string;
  spec: string;
  exclude?: string;
  module: string;
  method: string;
  argsText: string;
  async: boolean;
  background?: boolean;
  minions: readonly DigestPeer[];
}

/** One call on many minions: where each stands, and what changed since clients were last told. */
export class Job {
  readonly createdAtMs = Date.now();
  finishedAtMs: number | undefined;
  private readonly entries = new Map<string, JobEntry>();
  private readonly values = new JobValues();
  private readonly counts = new Map<MinionCallState, number>();
  private readonly controller = new AbortController();
  private readonly listeners = new Set<(progress: JobProgress) => void>();
  private readonly finishListeners: (() => void)[] = [];
  private readonly dirty = new Set<string>();
  private dirtyBytes = 0;
  private seq = 0;
  private flushTimer: NodeJS.Timeout | undefined;

  constructor(private readonly description: JobDescription) {
    for (const peer of description.minions) {
      const result: MinionResult = { minion: peer.name, state: "queued" };
      this.entries.set(peer.name, { peer, result, valueBytes: 0, outputs: [] });
    }
    this.counts.set("queued", this.entries.size);
    // each call under way listens to it
    setMaxListeners(0, this.controller.signal);
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

  /** Aborted when the job is cancelled. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  get finished(): boolean {
    return this.finishedAtMs !== undefined;
  }

  /**
   * Moves a minion on; ignored once it is in a final state, so that an answer that comes after a
   * cancel or a limit changes nothing. What is already known (its job id) stays. A value is to be given
   * as it is kept (`kept`), where it can be large.
   */
  update(minion: string, change: Omit<MinionResult, "minion">, kept?: KeptValue): void {
    const entry = this.entries.get(minion);
    if (!entry || FINAL_STATES.has(entry.result.state)) return;
    this.count(entry.result.state, -1);
    this.count(change.state, 1);
    const result: MinionResult = { ...entry.result, ...change };
    const changed: JobEntry = { ...entry, result };
    if (FINAL_STATES.has(result.state)) this.values.complete(changed, kept);
    this.entries.set(minion, changed);
    this.markDirty(minion, changed);
    if (this.finalCount() === this.entries.size) this.finish();
  }

  /** Asks all that is under way to end; each minion gets its final state from whoever runs it. */
  cancel(): void {
    if (this.finished || this.signal.aborted) return;
    this.controller.abort();
    this.scheduleFlush();
  }

  /** The job cannot go on: whoever has no final state yet is lost. */
  abandon(problem: string): void {
    this.controller.abort();
    for (const minion of this.entries.keys()) {
      const error = { type: "exceptions.Exception", message: `${minion}: ${problem}`, trace: "" };
      this.update(minion, { state: "lost", error });
    }
  }

  summary({ whole = true } = {}): JobSummary {
    const { id, spec, exclude, module, method, argsText, async, background } = this.description;
    const shown = (text: string): string =>
      whole || text.length <= SHOWN_SPEC_LENGTH ? text : `${text.slice(0, SHOWN_SPEC_LENGTH)}...`;
    return {
      id,
      spec: shown(spec),
      ...(exclude !== undefined && { exclude: shown(exclude) }),
      module,
      method,
      argsText,
      async,
      ...(background && { background }),
      createdAtMs: this.createdAtMs,
      finishedAtMs: this.finishedAtMs,
      finished: this.finished,
      cancelRequested: this.signal.aborted,
      code: this.code(),
      total: this.entries.size,
      counts: Object.fromEntries(this.counts),
    };
  }

  /** How it stands, with the results of the first `most` minions; progress goes on with the next `seq`. */
  snapshot(most = Infinity): JobProgress {
    this.flush();
    return { seq: this.seq, summary: this.summary(), results: this.page(0, most) };
  }

  /** The results of at most `most` minions as they stand, from place `from` in the job's order. */
  page(from: number, most: number): MinionResult[] {
    let budget = SNAPSHOT_VALUE_BYTES;
    return [...this.entries.values()].slice(from, from + most).map((entry) => {
      budget -= entry.valueBytes;
      return shownResult(entry, budget >= 0);
    });
  }

  /** Where the job stands, without results: tells a client that missed some progress that it did. */
  headline(): JobProgress {
    return { seq: this.seq, summary: this.summary({ whole: false }), results: [] };
  }

  /** One minion's whole result. Throws FuncError "not-found". */
  result(minion: string): MinionResult {
    const entry = this.entries.get(minion.toLowerCase());
    if (entry) return entry.result;
    throw new FuncError(
      "not-found",
      `The minion "${minion.slice(0, 100)}" is not part of job ${this.id}.`,
    );
  }

  /** All minions in the job's order, as they stand. */
  listEntries(): JobEntry[] {
    return [...this.entries.values()];
  }

  onProgress(listener: (progress: JobProgress) => void): { dispose(): void } {
    this.listeners.add(listener);
    return { dispose: () => void this.listeners.delete(listener) };
  }

  /** Calls the listener when the last minion reaches its final state. */
  onFinished(listener: () => void): void {
    this.finishListeners.push(listener);
  }

  /** The seed's code: RUNNING until a first result, or until all are started. */
  private code(): JobCode {
    if (this.finished) return JOB_ID_FINISHED;
    if (this.finalCount() > 0) return JOB_ID_PARTIAL;
    const notStarted =
      (this.counts.get("queued") ?? 0) + (this.isAsync ? (this.counts.get("sent") ?? 0) : 0);
    return notStarted > 0 ? JOB_ID_RUNNING : JOB_ID_PARTIAL;
  }

  private finalCount(): number {
    let sum = 0;
    for (const [state, count] of this.counts) if (FINAL_STATES.has(state)) sum += count;
    return sum;
  }

  private count(state: MinionCallState, change: number): void {
    const count = (this.counts.get(state) ?? 0) + change;
    if (count === 0) this.counts.delete(state);
    else this.counts.set(state, count);
  }

  private finish(): void {
    this.finishedAtMs = Date.now();
    this.flush();
    for (const listener of this.finishListeners) listener();
  }

  private markDirty(minion: string, entry: JobEntry): void {
    const bytes = shownBytes(entry);
    if (this.dirtyBytes + bytes > FLUSH_BYTES) this.flush();
    this.dirty.add(minion);
    this.dirtyBytes += bytes;
    if (this.dirty.size >= FLUSH_ENTRIES) this.flush();
    else this.scheduleFlush();
  }

  private scheduleFlush(): void {
    this.flushTimer ??= setTimeout(() => {
      this.flush(true);
    }, FLUSH_MS);
  }

  private flush(force = false): void {
    clearTimeout(this.flushTimer);
    this.flushTimer = undefined;
    if (this.dirty.size === 0 && !force) return;
    const results = [...this.dirty].flatMap((minion) => {
      const entry = this.entries.get(minion);
      return entry ? [shownResult(entry)] : [];
    });
    this.dirty.clear();
    this.dirtyBytes = 0;
    this.seq++;
    const progress = { seq: this.seq, summary: this.summary({ whole: false }), results };
    for (const listener of [...this.listeners]) listener(progress);
  }
}
