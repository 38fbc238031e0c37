import { rm, stat } from "node:fs/promises";
import { FuncError, messageOf } from "../../common/errors";
import { isFull } from "../../common/diskReserve";
import { JournalFile } from "./journalFile";
import { journalFiles, journalPath, makeJournalFolder } from "./journalFolder";
import { MAX_PAYLOAD_BYTES, type JournalRecord } from "./journalFrame";

/** So much goes to the disk with one write. */
const MAX_WRITE_BYTES = 4 * 1024 * 1024;
/** Appends that come together become one record up to this size. */
const MAX_RECORD_BYTES = 256 * 1024;
const NEWLINE = Buffer.from("\n");

export interface JournalOptions {
  folder: string;
  /** The number of the next record; higher than all that were ever given. */
  nextSeq: number;
  /** The number of the last record that counts. */
  last: number;
  /** Where the disk is full, before what is urgent is tried once more. Never rejects. */
  makeRoom: () => Promise<void>;
  /** Called for each record once it is durable, in order, before its append settles. */
  onDurable: (record: JournalRecord) => void;
}

interface Waiting {
  payload: Buffer;
  urgent: boolean;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * The journal of the job store: files `journal-N`, N being the number of the first record. Appends that come while
 * the disk is busy share the next write and sync.
 */
export class Journal {
  private queue: Waiting[] = [];
  private writing: Promise<void> | undefined;
  private file: JournalFile | undefined;
  private nextSeq: number;
  private durable: number;
  private closed = false;
  /** Of files that are complete and still needed. */
  private olderBytes = 0;

  constructor(private readonly options: JournalOptions) {
    this.nextSeq = options.nextSeq;
    this.durable = options.last;
  }

  /** Number of the last record that is durable. */
  get last(): number {
    return this.durable;
  }

  /** On the disk, as far as this process has written or looked. */
  get bytes(): number {
    return this.olderBytes + (this.file?.bytes ?? 0);
  }

  /**
   * Durable when it settles. `payload` are events as JSON, one a line. Urgent ones may use the space that is kept
   * back for a full disk. Rejects with FuncError "unavailable" naming the file, "too-large".
   */
  append(payload: Buffer, urgent: boolean): Promise<void> {
    if (this.closed) return Promise.reject(closed());
    if (payload.length > MAX_PAYLOAD_BYTES) {
      const told = `${payload.length} bytes are more than one record of the job store may have.`;
      return Promise.reject(new FuncError("too-large", told));
    }
    return new Promise((resolve, reject) => {
      this.queue.push({ payload, urgent, resolve, reject });
      this.writing ??= this.writeQueue();
    });
  }

  /** The next record begins a new file. */
  async rotate(): Promise<void> {
    await this.between(() => this.leaveFile());
  }

  /** Removes files whose records all have numbers up to `seq`, but for the one that is written to. Never rejects. */
  async drop(seq: number): Promise<void> {
    const files = await journalFiles(this.options.folder).catch(() => []);
    this.olderBytes = 0;
    for (const [index, { path, first }] of files.entries()) {
      if (path === this.file?.path) continue;
      const last = (files[index + 1]?.first ?? this.durable + 1) - 1;
      if (last <= seq && first < this.nextSeq) {
        await rm(path, { force: true }).catch(() => undefined);
      } else {
        this.olderBytes += (await stat(path).catch(() => undefined))?.size ?? 0;
      }
    }
  }

  /** Writes what waits. */
  async close(): Promise<void> {
    this.closed = true;
    while (this.writing) await this.writing;
    await this.leaveFile();
  }

  private async leaveFile(): Promise<void> {
    const { file } = this;
    this.file = undefined;
    this.olderBytes += file?.bytes ?? 0;
    await file?.close().catch(() => undefined);
  }

  /** When nothing is being written. */
  private async between(work: () => Promise<void>): Promise<void> {
    while (this.writing) await this.writing;
    this.writing = work().finally(() => {
      this.writing = this.queue.length > 0 ? this.writeQueue() : undefined;
    });
    await this.writing;
  }

  private async writeQueue(): Promise<void> {
    while (this.queue.length > 0) {
      // whoever waited for the last write has the chance to come along
      await new Promise((resolve) => setImmediate(resolve));
      const taken = this.take();
      await this.commit(taken).catch((error: unknown) => this.afterFailure(taken, error));
    }
    this.writing = undefined;
  }

  private take(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { payload } of this.queue) {
      bytes += payload.length;
      if (count > 0 && bytes > MAX_WRITE_BYTES) break;
      count++;
    }
    return this.queue.splice(0, count);
  }

  private async commit(appends: readonly Waiting[]): Promise<void> {
    const file = await this.openFile();
    const records = this.recordsOf(appends);
    await file.add(records);
    this.durable = this.nextSeq + records.length - 1;
    this.nextSeq = this.durable + 1;
    for (const record of records) this.options.onDurable(record);
    for (const { resolve } of appends) resolve();
  }

  /** What must be kept is tried once more where the disk is full, with the space that was kept back. */
  private async afterFailure(appends: readonly Waiting[], error: unknown): Promise<void> {
    const isUrgent = isFull(error) && appends.some(({ urgent }) => urgent);
    const again = isUrgent ? appends.filter(({ urgent }) => urgent) : [];
    const refused = appends.filter((append) => !again.includes(append));
    if (refused.length > 0) this.refuse(refused, error);
    if (again.length === 0) return;
    await this.options.makeRoom();
    await this.commit(again).catch((second: unknown) => {
      this.refuse(again, second);
    });
  }

  private refuse(appends: readonly Waiting[], error: unknown): void {
    const problem = this.problemOf(error);
    for (const { reject } of appends) reject(problem);
  }

  private recordsOf(appends: readonly Waiting[]): JournalRecord[] {
    const records: JournalRecord[] = [];
    let parts: Buffer[] = [];
    let bytes = 0;
    const close = (): void => {
      const payload = parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
      records.push({ seq: this.nextSeq + records.length, payload });
      [parts, bytes] = [[], 0];
    };
    for (const { payload } of appends) {
      if (parts.length > 0 && bytes + payload.length > MAX_RECORD_BYTES) close();
      parts.push(...(parts.length > 0 ? [NEWLINE, payload] : [payload]));
      bytes += payload.length + 1;
    }
    close();
    return records;
  }

  private async openFile(): Promise<JournalFile> {
    if (this.file?.isBroken) {
      // its name must not be needed again
      if (this.file.first === this.nextSeq) this.nextSeq++;
      await this.leaveFile();
    }
    if (this.file) return this.file;
    const { folder } = this.options;
    await makeJournalFolder(folder);
    const head = { first: this.nextSeq, follows: this.durable };
    this.file = await JournalFile.create(journalPath(folder, head.first), head);
    return this.file;
  }

  /** What `append` would throw for this. */
  problemOf(error: unknown): FuncError {
    if (error instanceof FuncError) return error;
    const path = this.file?.path ?? journalPath(this.options.folder, this.nextSeq);
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "EEXIST") {
      return new FuncError(
        "conflict",
        `${path} was made by somebody else: another program writes into this job store.`,
        "Let only one overlord use this data directory.",
        { cause: error },
      );
    }
    return new FuncError(
      "unavailable",
      `The job store cannot write to ${path}: ${messageOf(error)}.`,
      isFull(error)
        ? "Make room on that disk: it goes on by itself."
        : "Look at that disk of the overlord's host: it goes on by itself once it can be written to.",
      { cause: error },
    );
  }
}

function closed(): FuncError {
  return new FuncError("unavailable", "The job store is closed.", "Start the overlord again.");
}
