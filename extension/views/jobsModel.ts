import { EventEmitter, type Disposable } from "vscode";
import type { FuncError } from "../../server/common/errors";
import type { JobsChanged, JobSummary } from "../../server/protocol/jobs";
import { asFuncError } from "../errors";
import type { OverlordSession } from "../overlordSession";
import { filterQuery, fitsFilter, isNarrowed, type JobFilter } from "./jobFilter";
import { readJobs } from "./readJobs";

/** Finished jobs that one "Show Older..." brings. */
export const PAGE = 100;
/** VS Code's tree gets slow beyond, and nobody reads a longer list: the filter finds the others. */
export const MAX_FINISHED = 1_000;
/** All that run are shown, and counted. */
const MAX_RUNNING = 1_000;
/** What came in addition to the asked pages stays until it is so much. */
const MAX_ADDED = 200;
/** A storm of changes is one reload. */
const RELOAD_AFTER_MS = 1_000;

/** The overlord's jobs as this window last heard of them, narrowed by a filter; those of the background are no part. */
export class JobsModel implements Disposable {
  private readonly emitter = new EventEmitter<void>();
  /** Jobs came, went or stand differently. */
  readonly onDidChange = this.emitter.event;
  /** Those that fit the filter. */
  private shown = new Map<string, JobSummary>();
  /** Ids of all that run, whatever the filter. */
  private runningIds = new Set<string>();
  private wanted: JobFilter = {};
  /** How many finished ones were asked for. */
  private target = PAGE;
  private next: string | undefined;
  private known = false;
  private trouble: FuncError | undefined;
  private loading: Promise<void> | undefined;
  /** Changes that came while an answer was awaited. */
  private missed: JobsChanged[] = [];
  private reloading: NodeJS.Timeout | undefined;
  private readonly disposables: Disposable[];

  constructor(private readonly session: OverlordSession) {
    this.disposables = [
      this.emitter,
      session.onJobsChanged((changes) => {
        if (this.loading) this.missed.push(changes);
        else if (this.known) this.take(changes);
      }),
    ];
  }

  /** False until the overlord has told. */
  get loaded(): boolean {
    return this.known;
  }

  /** Why the jobs could not be read. */
  get problem(): FuncError | undefined {
    return this.trouble;
  }

  get filter(): JobFilter {
    return this.wanted;
  }

  get runningCount(): number {
    return this.runningIds.size;
  }

  /** Whether there are more than those that are shown, which `loadOlder` brings. */
  get hasOlder(): boolean {
    return this.next !== undefined && this.target < MAX_FINISHED;
  }

  /** Whether there are more than are ever shown. */
  get isCut(): boolean {
    return this.next !== undefined && this.target >= MAX_FINISHED;
  }

  get(id: string): JobSummary | undefined {
    return this.shown.get(id);
  }

  /** Newest first. */
  running(): JobSummary[] {
    return this.sorted(({ finished }) => !finished);
  }

  /** Newest first. */
  finished(): JobSummary[] {
    return this.sorted(({ finished }) => finished);
  }

  /** Reads everything anew. Never rejects: `problem` says what is wrong. */
  load(): Promise<void> {
    this.loading ??= this.read().finally(() => {
      this.loading = undefined;
      for (const changes of this.missed.splice(0)) this.take(changes);
      this.emitter.fire();
    });
    return this.loading;
  }

  /** Reads another page of finished jobs. */
  async loadOlder(): Promise<void> {
    await this.loading;
    this.target = Math.min(MAX_FINISHED, this.target + PAGE);
    await this.load();
  }

  async setFilter(filter: JobFilter): Promise<void> {
    await this.loading;
    this.wanted = filter;
    this.target = PAGE;
    await this.load();
  }

  /** Nothing is known: there is no overlord. */
  clear(): void {
    this.shown = new Map();
    this.runningIds = new Set();
    this.next = undefined;
    this.known = false;
    this.emitter.fire();
  }

  dispose(): void {
    clearTimeout(this.reloading);
    for (const disposable of this.disposables) disposable.dispose();
  }

  private async read(): Promise<void> {
    try {
      const { session, target } = this;
      const filter = this.wanted;
      const query = filterQuery(filter);
      const shown = new Map<string, JobSummary>();
      const running = await readJobs(session, { ...query, state: "running" }, MAX_RUNNING);
      const everywhere = isNarrowed(filter)
        ? await readJobs(session, { state: "running" }, MAX_RUNNING)
        : running;
      const state = filter.state ?? "finished";
      const finished =
        state === "running"
          ? { jobs: [], next: undefined }
          : await readJobs(session, { ...query, state }, target);
      if (filter.state !== "problems") for (const job of running.jobs) shown.set(job.id, job);
      // a job that ended in between is in both: the later answer is right
      for (const job of finished.jobs) shown.set(job.id, job);
      this.shown = shown;
      this.runningIds = new Set(everywhere.jobs.map(({ id }) => id));
      for (const { id } of finished.jobs) this.runningIds.delete(id);
      this.next = finished.next;
      this.known = true;
      this.trouble = undefined;
    } catch (error) {
      this.trouble = asFuncError(error);
    }
  }

  private take({ changed, removed, all }: JobsChanged): void {
    if (all) {
      this.reloadSoon();
      return;
    }
    for (const id of removed) {
      this.shown.delete(id);
      this.runningIds.delete(id);
    }
    for (const job of changed) if (!job.background) this.put(job);
    if (this.shown.size > this.target + MAX_ADDED + MAX_RUNNING) this.reloadSoon();
    this.emitter.fire();
  }

  private put(job: JobSummary): void {
    const before = this.shown.get(job.id);
    if (before && isOlder(job, before)) return;
    if (job.finished) this.runningIds.delete(job.id);
    else this.runningIds.add(job.id);
    const fits = fitsFilter(job, this.wanted) ?? (before ? true : undefined);
    if (fits === undefined) this.reloadSoon();
    else if (!fits) this.shown.delete(job.id);
    else if (before || !job.finished || !this.isBeyondEnd(job)) this.shown.set(job.id, job);
  }

  /** Whether it stands among those that "Show Older..." is to bring. */
  private isBeyondEnd(job: JobSummary): boolean {
    if (this.next === undefined) return false;
    let oldestMs = Infinity;
    for (const { finished, createdAtMs } of this.shown.values()) {
      if (finished) oldestMs = Math.min(oldestMs, createdAtMs);
    }
    return job.createdAtMs < oldestMs;
  }

  private reloadSoon(): void {
    this.reloading ??= setTimeout(() => {
      this.reloading = undefined;
      void this.load();
    }, RELOAD_AFTER_MS);
  }

  private sorted(wanted: (job: JobSummary) => boolean): JobSummary[] {
    return [...this.shown.values()]
      .filter(wanted)
      .sort((a, b) => b.createdAtMs - a.createdAtMs || (a.id < b.id ? 1 : -1));
  }
}

/** Only another attempt makes a finished job run again. */
function isOlder(job: JobSummary, before: JobSummary): boolean {
  return before.finished && !job.finished && (job.attempts ?? 1) <= (before.attempts ?? 1);
}
