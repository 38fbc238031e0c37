import type { JobProgress, JobSummary, MinionResult } from "../protocol/jobs";

/** Fast enough to look immediate, slow enough to save nine of ten messages (PERFORMANCE 7). */
const FLUSH_MS = 40;
const FLUSH_ENTRIES = 200;
const FLUSH_BYTES = 65_536;

/** What changed in a job since clients were last told, told in bunches. */
export class ProgressFeed {
  /** Of the last progress. */
  seq = 0;
  private readonly listeners = new Set<(progress: JobProgress) => void>();
  private readonly dirty = new Set<string>();
  private dirtyBytes = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly summary: () => JobSummary,
    /** As it is shown; undefined where it is not part of the job. */
    private readonly resultOf: (minion: string) => MinionResult | undefined,
  ) {}

  get isHeard(): boolean {
    return this.listeners.size > 0;
  }

  onProgress(listener: (progress: JobProgress) => void): { dispose(): void } {
    this.listeners.add(listener);
    return { dispose: () => void this.listeners.delete(listener) };
  }

  /** `bytes`: about what the result takes in a message. */
  changed(minion: string, bytes: number): void {
    if (this.dirtyBytes + bytes > FLUSH_BYTES) this.flush();
    this.dirty.add(minion);
    this.dirtyBytes += bytes;
    if (this.dirty.size >= FLUSH_ENTRIES) this.flush();
    else this.schedule();
  }

  /** The summary changed, if nothing else. */
  schedule(): void {
    this.timer ??= setTimeout(() => {
      this.flush(true);
    }, FLUSH_MS);
  }

  flush(force = false): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.dirty.size === 0 && !force) return;
    const results = [...this.dirty].flatMap((minion) => this.resultOf(minion) ?? []);
    this.dirty.clear();
    this.dirtyBytes = 0;
    this.seq++;
    const progress = { seq: this.seq, summary: this.summary(), results };
    for (const listener of [...this.listeners]) listener(progress);
  }

  /** Tells nothing more. */
  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.dirty.clear();
    this.listeners.clear();
  }
}
