import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { DiskReserve } from "../../common/diskReserve";
import { FuncError, messageOf } from "../../common/errors";
import type { Log } from "../../common/log";
import type { JobHistoryEvent, JobPage, JobQuery, JobSummary } from "../../protocol/jobs";
import { ByteGate } from "./byteGate";
import { CheckpointRule, type CheckpointLimits } from "./checkpointRule";
import { Journal } from "./journal";
import { journalFiles, makeJournalFolder } from "./journalFolder";
import { JournalRecovery } from "./journalRecovery";
import { NoteBuffer } from "./noteBuffer";
import { readMark, removeMark, writeMark, type StoreMark } from "./storeMark";
import { StoreThread, type WorkerHandle } from "./storeThread";
import type {
  JobEvent,
  JobRecord,
  JobStore,
  StoredResult,
  StoreSearchParams,
  StoreUsage,
  UnfinishedJob,
} from "./storeTypes";
import { StoreWorker, type StoreWorkerListeners } from "./workerClient";
import type { StoreLimits, StoreMethod, StoreRequests, StoreSearch } from "./workerProtocol";

/** Of records that are being written, or that the worker has not taken yet. */
const MAX_UNDER_WAY_BYTES = 32 * 1024 * 1024;
/** Kept back for the ends of running jobs. */
const RESERVE_BYTES = 1024 * 1024;
/** Events that begin something: they never use up what is kept back for those that end it. */
const BEGINS: ReadonlySet<JobEvent["kind"]> = new Set(["created", "retried", "sent"]);

export interface JobStoreOptions {
  limits: StoreLimits;
  /** Where `store.js` and `sql-wasm.wasm` are. */
  programs: string;
  log: Log;
  /** For tests. */
  reserveBytes?: number;
  checkpoint?: Partial<CheckpointLimits>;
  startWorker?: (listeners: StoreWorkerListeners) => WorkerHandle;
}

/**
 * Opens the job store in `folder`; nothing is made there before the first event. To be called by the owner of the
 * data directory's lock only. Throws FuncError "unavailable" where the folder cannot be read.
 */
export async function openJobStore(folder: string, options: JobStoreOptions): Promise<JobStore> {
  const store = new DurableJobStore(folder, options);
  await store.open();
  return store;
}

/** A journal that makes events durable, in front of a worker with the databases that answers from them. */
class DurableJobStore implements JobStore {
  private readonly log: Log;
  private readonly reserve: DiskReserve;
  private readonly gate = new ByteGate(MAX_UNDER_WAY_BYTES);
  private readonly notes = new NoteBuffer(() => void this.flushNotes());
  private readonly thread: StoreThread;
  private readonly recovery: JournalRecovery;
  private readonly rule: CheckpointRule;
  private readonly forgotten = new Set<(jobIds: readonly string[]) => void>();
  private journal: Journal | undefined;
  private opening: Promise<Journal> | undefined;
  /** Valid while nothing was written. */
  private mark: StoreMark | undefined;
  private reserved: Promise<void> | undefined;
  /** Why the last write failed; undefined after one that did not. */
  private writeProblem: string | undefined;
  private closing: Promise<void> | undefined;

  constructor(
    private readonly folder: string,
    options: JobStoreOptions,
  ) {
    const { log, limits, programs, reserveBytes = RESERVE_BYTES } = options;
    this.log = log;
    this.reserve = new DiskReserve(folder, log, reserveBytes);
    this.recovery = new JournalRecovery(folder, log);
    this.rule = new CheckpointRule(() => this.checkpoint(), options.checkpoint);
    const data = { folder, limits, wasmFile: join(programs, "sql-wasm.wasm") };
    const script = join(programs, "store.js");
    this.thread = new StoreThread({
      start: options.startWorker ?? ((listeners) => new StoreWorker(script, data, listeners)),
      replay: (after, upTo) => this.recovery.records(after, upTo),
      last: () => this.journal?.last,
      gate: this.gate,
      onForgotten: (jobIds) => {
        for (const listener of this.forgotten) listener(jobIds);
      },
      log,
    });
  }

  async open(): Promise<void> {
    try {
      const journals = await journalFiles(this.folder);
      if (journals.length > 0) return;
      this.mark = await readMark(this.folder);
      // a new folder is as good as one that was closed in order
      if (!this.mark && (await isEmpty(this.folder))) this.mark = { nextSeq: 1, jobs: 0, bytes: 0 };
    } catch (error) {
      throw new FuncError(
        "unavailable",
        `The job store in ${this.folder} cannot be read: ${messageOf(error)}.`,
        "See that this folder can be read by the user who runs the overlord.",
      );
    }
  }

  async append(events: readonly JobEvent[]): Promise<void> {
    if (events.length === 0) return;
    const begins = events.some(({ kind }) => BEGINS.has(kind));
    const lines = events.map((event) => JSON.stringify(event));
    const bytes = lines.reduce((sum, line) => sum + line.length, 0);
    await this.gate.enter(bytes);
    const notes = this.notes.take();
    try {
      await this.write([...notes, ...lines], begins ? "begins" : "urgent");
    } catch (error) {
      this.notes.putBack(notes);
      throw error;
    } finally {
      this.gate.leave(bytes);
    }
  }

  note(events: readonly JobEvent[]): void {
    if (this.closing) return;
    this.notes.add(events.map((event) => JSON.stringify(event)));
  }

  find(jobId: string): Promise<JobSummary | undefined> {
    return this.ask("find", { jobId });
  }

  record(jobId: string): Promise<JobRecord | undefined> {
    return this.ask("record", { jobId });
  }

  list(query: JobQuery, limit: number, cursor?: string): Promise<JobPage> {
    return this.ask("list", { query, limit, ...(cursor !== undefined && { cursor }) });
  }

  results(jobId: string, from: number, limit: number): Promise<StoredResult[]> {
    return this.ask("results", { jobId, from, limit });
  }

  attempts(jobId: string, minion: string): Promise<StoredResult[]> {
    return this.ask("attempts", { jobId, minion });
  }

  history(
    jobId: string,
    from: number,
    limit: number,
  ): Promise<{ events: JobHistoryEvent[]; total: number }> {
    return this.ask("history", { jobId, from, limit });
  }

  searchSlice(search: StoreSearchParams): Promise<StoreSearch> {
    return this.ask("searchSlice", search);
  }

  async unfinished(): Promise<UnfinishedJob[]> {
    if (this.mark) return [];
    const jobs = await this.ask("unfinished", {});
    return this.recovery.incomplete ? jobs.map((job) => ({ ...job, incomplete: true })) : jobs;
  }

  async heldOutputs(): Promise<{ jobId: string; sha256: string[] }[]> {
    if (this.mark?.jobs === 0) return [];
    return this.ask("heldOutputs", {});
  }

  async usage(): Promise<StoreUsage> {
    const { mark, journal } = this;
    const more = journal?.bytes ?? 0;
    const full = this.reserve.lacksRoom ? this.fullDisk().message : undefined;
    const problem = this.writeProblem ?? full ?? this.thread.problem;
    const told = problem === undefined ? {} : { problem };
    if (mark && !this.thread.isStarted) return { jobs: mark.jobs, bytes: mark.bytes, ...told };
    try {
      const usage = await this.ask("usage", {});
      return { ...usage, ...told, bytes: usage.bytes + more };
    } catch (error) {
      return { jobs: 0, bytes: more, problem: messageOf(error) };
    }
  }

  onForgotten(listener: (jobIds: readonly string[]) => void): void {
    this.forgotten.add(listener);
  }

  async close(): Promise<void> {
    this.closing ??= this.closeOnce();
    await this.closing;
  }

  private async closeOnce(): Promise<void> {
    await this.flushNotes();
    this.rule.stop();
    await this.opening?.catch(() => undefined);
    const { journal } = this;
    await journal?.close();
    try {
      if (this.thread.isStarted) await this.closeThread(journal);
    } catch (error) {
      this.log.error("the job store was not closed in order", { problem: messageOf(error) });
    }
    await this.reserve.stop();
  }

  private async closeThread(journal: Journal | undefined): Promise<void> {
    const unfinished = await this.thread.ask("unfinished", {});
    await this.thread.ask("checkpoint", {});
    const usage = await this.thread.ask("usage", {});
    const seq = await this.thread.close();
    if (seq === undefined || !journal || this.thread.problem !== undefined) return;
    await journal.drop(seq);
    if (seq < journal.last || unfinished.length > 0) return;
    const { jobs, bytes } = usage;
    await writeMark(this.folder, { nextSeq: journal.last + 1, jobs, bytes });
  }

  private async ask<Method extends StoreMethod>(
    method: Method,
    params: StoreRequests[Method]["params"],
  ): Promise<StoreRequests[Method]["result"]> {
    await this.ready();
    return this.thread.ask(method, params);
  }

  private async write(lines: readonly string[], kind: "begins" | "urgent" | "note"): Promise<void> {
    // no more steps than needed: notes must not be overtaken
    try {
      const journal = this.journal && !this.mark ? this.journal : await this.unmarked();
      if (kind === "begins") await this.refuseWithoutReserve();
      const payload = Buffer.from(lines.join("\n"));
      await journal.append(payload, kind === "urgent");
      this.rule.wrote(lines.length, payload.length);
      this.writeProblem = undefined;
    } catch (error) {
      const isLarge = error instanceof FuncError && error.reason === "too-large";
      if (!isLarge) this.writeProblem = messageOf(error);
      throw error;
    }
  }

  private async flushNotes(): Promise<void> {
    const lines = this.notes.take();
    if (lines.length === 0) return;
    try {
      await this.write(lines, "note");
    } catch (error) {
      this.log.warn("notes on jobs could not be written so far", { problem: messageOf(error) });
      if (!this.closing) this.notes.putBack(lines);
    }
  }

  /** Before the first record: from then on the mark is wrong. */
  private async unmarked(): Promise<Journal> {
    const journal = await this.ready();
    if (this.mark) {
      await removeMark(this.folder).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw journal.problemOf(error);
      });
      this.mark = undefined;
    }
    return journal;
  }

  /** The journal, with a number for the next record that is higher than all before. */
  private async ready(): Promise<Journal> {
    if (this.journal) return this.journal;
    this.opening ??= this.openJournal().finally(() => {
      this.opening = undefined;
    });
    return this.opening;
  }

  private async openJournal(): Promise<Journal> {
    let nextSeq = this.mark?.nextSeq;
    let last = (nextSeq ?? 1) - 1;
    if (nextSeq === undefined) {
      const { appliedSeq, lastSeq } = await this.thread.start();
      last = Math.max(appliedSeq, this.recovery.last);
      const newest = (await journalFiles(this.folder)).at(-1)?.first ?? 0;
      nextSeq = Math.max(last, lastSeq, newest) + 1;
    }
    this.journal = new Journal({
      folder: this.folder,
      nextSeq,
      last,
      makeRoom: () => this.reserve.release(),
      onDurable: (record) => {
        this.thread.feed(record);
      },
    });
    return this.journal;
  }

  /** The reserve takes part of the room: without it, what begins would leave none for what ends. */
  private async refuseWithoutReserve(): Promise<void> {
    this.reserved ??= makeJournalFolder(this.folder).then(
      () => this.reserve.keep(),
      () => undefined,
    );
    await this.reserved;
    if (this.reserve.lacksRoom) await this.reserve.keep(); // there may be room by now
    if (this.reserve.lacksRoom) throw this.fullDisk();
  }

  private fullDisk(): FuncError {
    return new FuncError(
      "unavailable",
      `The disk of ${this.folder} is full: what room is left is for the results of running jobs.`,
      "Make room on that disk, then try again.",
    );
  }

  /** Answers the size of the databases. Rejects where it did not come about. */
  private async checkpoint(): Promise<number> {
    const journal = await this.ready();
    if (this.thread.problem !== undefined) {
      // from the journal, all that this one could not take
      await this.thread.restart("it lacks records");
      await this.thread.start();
    }
    await journal.rotate();
    const { seq } = await this.thread.ask("checkpoint", {});
    await journal.drop(seq);
    return (await this.thread.ask("usage", {})).bytes;
  }
}

async function isEmpty(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  });
  return names.every((name) => name === "reserve");
}
