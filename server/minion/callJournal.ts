import { appendFile, open, readFile } from "node:fs/promises";
import { writeFileAtomic } from "../common/atomicFile";
import { isUnwritable, NO_RESERVE, type Space } from "../common/diskReserve";
import { messageOf } from "../common/errors";
import type { Log } from "../common/log";

const KEPT_MS = 24 * 60 * 60_000;
const MAX_ENTRIES = 20_000;
/** Before the key of a call that must not begin any more: what is on its way may come later than what asks about it. */
const GIVEN_UP = "given-up ";
/** Lines that wait for space; with more, the whole is written anew once there is some. */
const MAX_WAITING = 1_000;

/**
 * The ids of sync calls that may have changed the host, on the disk before the call begins: after a
 * crash of funcd a repeat is refused and not run a second time. Bounded: a day, 20,000 calls. Where not even
 * the reserve gives space, or the disk is read-only, calls go on all the same: they may be what mends it.
 */
export class CallJournal {
  readonly #file: string;
  readonly #log: Log;
  readonly #space: Space;
  /** When each was begun, by key; oldest first. */
  readonly #begun: Map<string, number>;
  #lines: number;
  #pending: string[] = [];
  /** The file may end within a line. */
  #torn = false;
  #writing: Promise<void> | undefined;

  private constructor(file: string, log: Log, space: Space, begun: Map<string, number>) {
    this.#file = file;
    this.#log = log;
    this.#space = space;
    this.#begun = begun;
    this.#lines = begun.size;
  }

  static async open(file: string, log: Log, space: Space = NO_RESERVE): Promise<CallJournal> {
    const begun = new Map<string, number>();
    for (const line of (await readIfThere(file)).split("\n")) {
      const [time = "", key] = line.split("\t");
      const atMs = Number(time);
      // a last line that was cut by a crash belongs to a call that was not begun
      if (key !== undefined && Date.now() - atMs < KEPT_MS) begun.set(key, atMs);
    }
    const journal = new CallJournal(file, log, space, begun);
    try {
      await journal.#rewrite();
    } catch (error) {
      if (!isUnwritable(error)) throw error;
      journal.#torn = true;
      log.error("the journal of calls cannot be written", { file, problem: messageOf(error) });
    }
    return journal;
  }

  has(key: string): boolean {
    return this.#begun.has(key);
  }

  /** The caller was told that a call was not begun: from now on it is not. Settles like `record`. */
  giveUp(key: string): Promise<void> {
    return this.record(GIVEN_UP + key);
  }

  isGivenUp(key: string): boolean {
    return this.has(GIVEN_UP + key);
  }

  /**
   * Settles once the key is on the disk. Where there is no space for it, it is kept in memory and written
   * later: a repeat is refused as long as funcd runs. Rejects where it cannot be done for another reason: then
   * the call must not begin. It is forgotten after a day, or at `neededUntilMs` where that is later.
   */
  record(key: string, neededUntilMs = 0): Promise<void> {
    const atMs = Math.max(Date.now(), neededUntilMs - KEPT_MS);
    this.#begun.set(key, atMs);
    this.#pending.push(`${atMs}\t${key}\n`);
    // calls that come while others are written go with the next write
    const before = this.#writing ?? Promise.resolve();
    const write = before.catch(() => undefined).then(() => this.#flush());
    this.#writing = write;
    return write;
  }

  /** Writes what still waits for space, if there is some now. Never rejects. */
  async close(): Promise<void> {
    await this.#writing?.catch(() => undefined);
    if (this.#pending.length > 0) await this.#flush().catch(() => undefined);
  }

  async #flush(): Promise<void> {
    const lines = this.#pending.splice(0);
    if (lines.length === 0) return; // they went with an earlier call's
    this.#lines += lines.length;
    try {
      if (this.#lines > 2 * MAX_ENTRIES) await this.#rewrite();
      else await this.#space.spend(() => this.#append(lines));
    } catch (error) {
      if (!isUnwritable(error)) throw error;
      this.#postpone(lines);
      const fields = { file: this.#file, problem: messageOf(error) };
      this.#log.error("a call runs that is not on record: a crash of funcd forgets it", fields);
    }
  }

  async #append(lines: readonly string[]): Promise<void> {
    const handle = await open(this.#file, "a", 0o600);
    try {
      const text = `${this.#torn ? "\n" : ""}${lines.join("")}`;
      this.#torn = true;
      await appendFile(handle, text);
      await handle.datasync();
      this.#torn = false;
    } finally {
      await handle.close();
    }
  }

  #postpone(lines: readonly string[]): void {
    this.#pending.unshift(...lines);
    if (this.#pending.length <= MAX_WAITING) return;
    this.#pending = [];
    this.#lines = Infinity;
  }

  async #rewrite(): Promise<void> {
    const surplus = this.#begun.size - MAX_ENTRIES;
    if (surplus > 0) {
      this.#log.warn("the oldest call ids are forgotten", { count: surplus });
      for (const key of [...this.#begun.keys()].slice(0, surplus)) this.#begun.delete(key);
    }
    const text = [...this.#begun].map(([key, atMs]) => `${atMs}\t${key}\n`).join("");
    await this.#space.spend(() => writeFileAtomic(this.#file, text));
    this.#lines = this.#begun.size;
    this.#torn = false;
  }
}

async function readIfThere(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw new Error(`${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
