import { appendFile, chmod, rename, truncate } from "node:fs/promises";
import { dirname } from "node:path";
import { auditEnd, type AuditEnd } from "./auditEnd";
import { KEPT_FILES, writeHead } from "./auditFiles";
import { chainLine, type ChainEnd, type ChainFields } from "./chainLine";
import { NO_RESERVE, type Space } from "./diskReserve";
import { messageOf } from "./errors";
import type { Log } from "./log";
import { makeFolders } from "./makeFolders";

const MAX_BYTES = 10 * 1024 * 1024;
const HEAD_EVERY_MS = 1_000;
/** A disk that stays full is told of this often. */
const COMPLAIN_EVERY_MS = 10_000;

/**
 * An append-only log of JSON lines, each of which names the hash of the one before, so that a changed,
 * removed or inserted line is found (see `verifyAudit`). Readable by the owner only. At 10 MiB the file
 * moves to `FILE.1` and so on, and the chain goes on; the oldest beyond four are dropped. What a crash
 * cut is repaired at the next start by a line that says so. A line that cannot be written is counted,
 * told to the log, and said in the file once it can be written again: it holds nobody up.
 */
export class AuditChain {
  /** Lines that could not be written, since the start. */
  lost = 0;
  readonly #file: string;
  readonly #log: Log;
  readonly #maxBytes: number;
  readonly #space: Space;
  #at: { end: ChainEnd; size: number } | undefined;
  #untold = 0;
  #complainedAtMs = -Infinity;
  #waiting: Batch | undefined;
  #writing: Promise<void> | undefined;
  #headTimer: NodeJS.Timeout | undefined;
  /** The note of the last line is there. */
  #noted = false;
  #headWritten: Promise<void> = Promise.resolve();

  constructor(file: string, log: Log, maxBytes = MAX_BYTES, space = NO_RESERVE) {
    this.#file = file;
    this.#log = log;
    this.#maxBytes = maxBytes;
    this.#space = space;
  }

  /** Settles once the line is written, or could not be. Never rejects. */
  append(fields: ChainFields): Promise<void> {
    const batch = (this.#waiting ??= newBatch());
    batch.lines.push(fields);
    this.#writing ??= this.#drain();
    return batch.written;
  }

  /** Settles once everything is written. */
  async flush(): Promise<void> {
    await this.#writing;
    clearTimeout(this.#headTimer);
    this.#headTimer = undefined;
    await this.#saveHead();
  }

  async #drain(): Promise<void> {
    // lines that come while others are written go with the next write
    for (let batch = this.#waiting; batch; batch = this.#waiting) {
      this.#waiting = undefined;
      const { lines } = batch;
      try {
        await this.#space.spend(() => this.#write(lines));
      } catch (error) {
        this.#at = undefined;
        this.lost += lines.length;
        this.#untold += lines.length;
        this.#complain(error);
      }
      batch.done();
    }
    this.#writing = undefined;
  }

  async #write(lines: readonly ChainFields[]): Promise<void> {
    const { end, size } = (this.#at ??= await this.#open());
    const told = this.#untold > 0 ? [{ event: "lost", lines: this.#untold }, ...lines] : lines;
    let last = end;
    let text = "";
    for (const fields of told) {
      const line = chainLine(last, fields);
      text += `${line.text}\n`;
      last = line.end;
    }
    const turns = size > 0 && size + text.length > this.#maxBytes;
    if (turns) await this.#rotate();
    // a part of it may be written: whoever tries again has to look
    this.#at = undefined;
    await appendFile(this.#file, text, { mode: 0o600 });
    this.#at = { end: last, size: (turns ? 0 : size) + text.length };
    this.#untold = 0;
    if (!this.#noted) await this.#saveHead();
    this.#headTimer ??= setTimeout(() => {
      this.#headTimer = undefined;
      void this.#saveHead();
    }, HEAD_EVERY_MS).unref();
  }

  async #open(): Promise<{ end: ChainEnd; size: number }> {
    await makeFolders(dirname(this.#file));
    const found = await auditEnd(this.#file);
    // a log without its note is one whose note was taken away: it is there before the first line
    if (found.end.seq === 0 && !found.repair) await this.#saveHead(found.end);
    await appendFile(this.#file, "", { mode: 0o600 });
    await chmod(this.#file, 0o600);
    return found.repair ? this.#repair(found, found.repair) : found;
  }

  async #repair(
    { end, size }: AuditEnd,
    { fields, seq, newlineFirst }: NonNullable<AuditEnd["repair"]>,
  ): Promise<{ end: ChainEnd; size: number }> {
    const line = chainLine(end, fields, seq);
    const text = `${newlineFirst ? "\n" : ""}${line.text}\n`;
    await truncate(this.#file, size);
    await appendFile(this.#file, text, { mode: 0o600 });
    this.#log.warn("the audit log did not end as it should", { file: this.#file, ...fields });
    return { end: line.end, size: size + text.length };
  }

  async #rotate(): Promise<void> {
    for (let number = KEPT_FILES - 1; number >= 0; number--) {
      const from = number === 0 ? this.#file : `${this.#file}.${number}`;
      await rename(from, `${this.#file}.${number + 1}`).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      });
    }
  }

  #saveHead(first?: ChainEnd): Promise<void> {
    this.#headWritten = this.#headWritten.then(async () => {
      const end = first ?? this.#at?.end;
      if (!end) return;
      try {
        await writeHead(this.#file, end);
        this.#noted = true;
      } catch (error) {
        this.#complain(error);
      }
    });
    return this.#headWritten;
  }

  #complain(error: unknown): void {
    if (Date.now() - this.#complainedAtMs < COMPLAIN_EVERY_MS) return;
    this.#complainedAtMs = Date.now();
    const fields = { file: this.#file, lostLines: this.lost, problem: messageOf(error) };
    this.#log.error("the audit log cannot be written", fields);
  }
}

/** Lines that go with one write. */
interface Batch {
  lines: ChainFields[];
  written: Promise<void>;
  done: () => void;
}

function newBatch(): Batch {
  const batch: Batch = { lines: [], written: Promise.resolve(), done: () => undefined };
  batch.written = new Promise((resolve) => (batch.done = resolve));
  return batch;
}
