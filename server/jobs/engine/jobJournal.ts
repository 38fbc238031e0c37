import { FuncError, messageOf } from "../../common/errors";
import type { Log } from "../../common/log";
import type { Job } from "../job";
import { storedResult, type JobEntry } from "../jobEntry";
import type { JobEvent, JobRecord, JobStore } from "../store/storeTypes";
import type { MinionBehind } from "./minionsBehind";
import type { Cancel } from "./pendingCancels";
import { isTaken } from "./takenResult";
import { UnwrittenResults } from "./unwrittenResults";

type Noted = Extract<JobEvent, { kind: "noted" }>["event"];

/** Writes what happens to jobs into the store; of jobs in the background nothing. */
export class JobJournal {
  private readonly unwritten: UnwrittenResults;
  /** Jobs by their results that are being written. */
  private readonly writing = new Map<Job, number>();
  private readonly finishing = new Set<Job>();

  constructor(
    private readonly store: JobStore,
    private readonly log: Log,
    /** All of the job is in the store. */
    private readonly onKept: (job: Job) => void,
  ) {
    this.unwritten = new UnwrittenResults(store, (job) => {
      void this.finishWhenWritten(job);
    });
  }

  /** True while results wait for the disk to take them. */
  get isBehind(): boolean {
    return this.unwritten.size > 0;
  }

  /** Durable when it settles. Throws FuncError "unavailable": then nothing may be sent. */
  async created(job: JobRecord): Promise<void> {
    try {
      await this.store.append([{ kind: "created", job }]);
    } catch (error) {
      throw notStarted(error);
    }
  }

  /** Durable when it settles. Throws FuncError "unavailable": then nothing may be sent. */
  async retried(job: Job, minions: readonly string[], attempt: number): Promise<void> {
    const event = { kind: "retried" as const, jobId: job.id, atMs: Date.now(), minions, attempt };
    try {
      await this.store.append([event]);
    } catch (error) {
      throw notStarted(error);
    }
  }

  /**
   * The call is about to be sent to a minion that cannot tell a repeat; durable when it settles. Throws
   * FuncError "unavailable": then it must not be sent.
   */
  async sent(job: Job, minion: string): Promise<void> {
    if (job.isBackground) return;
    const attempt = job.attemptOf(minion);
    const event = { kind: "sent" as const, jobId: job.id, minion, attempt, atMs: Date.now() };
    try {
      await this.store.append([event]);
    } catch (error) {
      throw notStarted(error);
    }
  }

  /** Where it is `needed`, nobody could ask for the id again: it is durable when it settles. Never throws. */
  async started(job: Job, minion: string, minionJobId: string, needed: boolean): Promise<void> {
    if (job.isBackground) return;
    const attempt = job.attemptOf(minion);
    const what = { jobId: job.id, minion, attempt, atMs: Date.now(), minionJobId };
    if (needed) await this.appendSoon([{ kind: "started", ...what }]);
    else this.store.note([{ kind: "started", ...what }]);
  }

  /**
   * A final result: it is shown once it is durable. Where it cannot be written it is shown with a warning, and
   * tried again later. Never throws.
   */
  async ended(job: Job, entry: JobEntry | undefined): Promise<void> {
    if (!entry || job.isSuspended) return;
    if (job.isBackground) {
      job.end(entry);
      return;
    }
    const events = endingEvents(job, entry);
    const writing = (this.writing.get(job) ?? 0) + 1;
    this.writing.set(job, writing);
    // with the last one goes the end of the job, where all others are durable by now
    const atMs = Date.now();
    const isLast = job.open === 1 && writing === 1 && !this.unwritten.has(job);
    try {
      await this.store.append(isLast ? [...events, finishedEvent(job, atMs)] : events);
      // others of its minions may have been called again meanwhile
      if (isLast) job.isKept = job.openMinions.length === 0;
      job.end(entry, atMs);
    } catch (error) {
      const warning = `The result could not be written to the disk, and is lost when the overlord ends: ${messageOf(error)}`;
      this.log.error("a result could not be written", { job: job.id, problem: messageOf(error) });
      job.end({ ...entry, result: { ...entry.result, warning } });
      this.unwritten.add(job, entry.result.minion, events);
    }
    this.leave(job);
    if (job.isKept) this.onKept(job);
    else void this.finishWhenWritten(job);
  }

  /** The job as a whole. Never throws; a crash may lose it. */
  noted(job: Job, event: Noted, cause?: string): void {
    if (job.isBackground) return;
    const noted = { kind: "noted" as const, jobId: job.id, atMs: Date.now(), event };
    this.store.note([{ ...noted, ...(cause !== undefined && { cause }) }]);
  }

  /** Durable when it settles; never throws, since a job has to be cancelled also where the disk is full. */
  async cancelRequested(job: Job): Promise<void> {
    if (job.isBackground) return;
    const event = { kind: "noted" as const, jobId: job.id, atMs: Date.now() };
    try {
      await this.store.append([{ ...event, event: "cancel-requested" }]);
    } catch (error) {
      this.log.error("a cancel is not on record", { job: job.id, problem: messageOf(error) });
    }
  }

  /** A hop has taken the call for all of them, under its own id. */
  startedBehind(
    job: Job,
    minions: readonly MinionBehind[],
    hopJobId: string,
    needed: boolean,
  ): void {
    if (job.isBackground) return;
    const what = { kind: "started-behind" as const, jobId: job.id, atMs: Date.now(), hopJobId };
    const attempts = new Set(minions.map(({ name }) => job.attemptOf(name)));
    const events = [...attempts].map((attempt): JobEvent => {
      const those = minions.filter(({ name }) => job.attemptOf(name) === attempt);
      const around = those.filter(({ name, path }) => !isSamePath(job.pathTo(name), path));
      const paths = around.map(({ name, path }) => [name, path] as const);
      const names = those.map(({ name }) => name);
      return { ...what, attempt, minions: names, ...(around.length > 0 && { paths }) };
    });
    if (needed) void this.appendSoon(events);
    else this.store.note(events);
  }

  /**
   * The hop may begin it for all of them, or has maybe, in a job of its own, beside others. Durable when it settles.
   * Never throws.
   */
  async doubted(
    job: Job,
    minions: readonly MinionBehind[],
    hop: string,
    hopJobId?: string,
  ): Promise<void> {
    if (job.isBackground) return;
    const what = { kind: "doubted" as const, jobId: job.id, hop };
    const all = minions.map(({ name }) => ({ name, attempt: job.attemptOf(name) }));
    const events = [...new Set(all.map(({ attempt }) => attempt))].map((attempt): JobEvent => {
      const names = all.filter((one) => one.attempt === attempt).map(({ name }) => name);
      return { ...what, attempt, minions: names, ...(hopJobId !== undefined && { hopJobId }) };
    });
    await this.appendSoon(events);
  }

  /** The hop need not be told, or asked, any more. */
  doubtIsOver(call: Cancel, minions: readonly string[]): void {
    const { jobId, attempt, minion, id: hopJobId } = call;
    const what = { kind: "doubted" as const, jobId, attempt, hop: minion.name, hopJobId };
    this.store.note([{ ...what, minions, isOver: true }]);
  }

  told(told: Omit<Extract<JobEvent, { kind: "told" }>, "kind">[]): void {
    this.store.note(told.map((one) => ({ kind: "told", ...one })));
  }

  /** How attempts that have ended here had ended there; a crash may lose it, then it is asked for again. */
  toldLater(told: Omit<Extract<JobEvent, { kind: "later" }>, "kind">[]): void {
    this.store.note(told.map((one) => ({ kind: "later", ...one })));
  }

  /** Finishes the job in the store too, once all its results are there. Never throws. */
  async finishWhenWritten(job: Job): Promise<void> {
    if (!job.finished || job.isKept || job.isBackground || this.finishing.has(job)) return;
    if (this.writing.has(job) || this.unwritten.has(job)) return;
    this.finishing.add(job);
    try {
      await this.store.append([finishedEvent(job)]);
      // it may have been called again meanwhile
      job.isKept = job.open === 0;
    } catch {
      this.unwritten.add(job, undefined, [finishedEvent(job)]);
    } finally {
      this.finishing.delete(job);
    }
    if (job.isKept) this.onKept(job);
  }

  close(): void {
    this.unwritten.close();
  }

  private leave(job: Job): void {
    const left = (this.writing.get(job) ?? 1) - 1;
    if (left === 0) this.writing.delete(job);
    else this.writing.set(job, left);
  }

  private appendSoon(events: JobEvent[]): Promise<void> {
    return this.store.append(events).catch((error: unknown) => {
      this.log.error("what was started is not on record", { problem: messageOf(error) });
    });
  }
}

function endingEvents(job: Job, entry: JobEntry): JobEvent[] {
  const { id: jobId } = job;
  const result = storedResult(entry, Date.now());
  const events: JobEvent[] = [{ kind: "ended", jobId, result }];
  const { minion, attempt, minionJobId, cancelPending } = result;
  // of what was not taken from it, the minion has nothing to be told
  const hasNews = cancelPending === true || (isTaken(result) && !job.pathTo(minion));
  if (!job.isAsync || minionJobId === undefined || hasNews) return events;
  return [...events, { kind: "told", jobId, minion, attempt, what: "kept" }];
}

function isSamePath(one: readonly string[] = [], other: readonly string[]): boolean {
  return one.join("/") === other.join("/");
}

function finishedEvent(job: Job, atMs = job.finishedAtMs ?? Date.now()): JobEvent {
  return { kind: "noted", jobId: job.id, atMs, event: "finished" };
}

function notStarted(error: unknown): FuncError {
  const nextStep = error instanceof FuncError ? error.nextStep : undefined;
  return new FuncError(
    "unavailable",
    `Nothing was sent, since it could not be written down first: ${messageOf(error)}`,
    nextStep ?? "Make room on the disk of the overlord's data directory, then call again.",
    { cause: error },
  );
}
