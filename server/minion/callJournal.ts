import { appendFile, open, readFile } from "node:fs/promises";
import { writeFileAtomic } from "../common/atomicFile";
import { messageOf } from "../common/errors";
import type { Log } from "../common/log";

const KEPT_MS = 24 * 60 * 60_000;
const MAX_ENTRIES = 20_000;

/**
 * The ids of sync calls that may have changed the host, on the disk before the call begins: after a
 * crash of funcd a repeat is refused and not run a second time. Bounded: a day, 20,000 calls.
 */
export class CallJournal {
  readonly #file: string;
  readonly #log: Log;
  /** When each was begun, by key; oldest first. */
  readonly #begun: Map<string, number>;
  #lines: number;
  #pending: string[] = [];
  #writing: Promise<void> | undefined;

  private constructor(file: string, log: Log, begun: Map<string, number>) {
    this.#file = file;
    this.#log = log;
    this.#begun = begun;
    this.#lines = begun.size;
  }

  static async open(file: string, log: Log): Promise<CallJournal> {
    const begun = new Map<string, number>();
    for (const line of (await readIfThere(file)).split("\n")) {
      const [time = "", key] = line.split("\t");
      const atMs = Number(time);
      // a last line that was cut by a crash belongs to a call that was not begun
      if (key !== undefined && Date.now() - atMs < KEPT_MS) begun.set(key, atMs);
    }
    const journal = new CallJournal(file, log, begun);
    await journal.#rewrite();
    return journal;
  }

  has(key: string): boolean {
    return this.#begun.has(key);
  }

  /** Settles once the key is on the disk. Rejects where that cannot be done: then the call must not begin. */
  record(key: string): Promise<void> {
    const atMs = Date.now();
    this.#begun.set(key, atMs);
    this.#pending.push(`${atMs}\t${key}\n`);
    // calls that come while others are written go with the next write
    const before = this.#writing ?? Promise.resolve();
    const write = before.catch(() => undefined).then(() => this.#flush());
    this.#writing = write;
    return write;
  }

  async #flush(): Promise<void> {
    const lines = this.#pending.splice(0);
    if (lines.length === 0) return; // they went with an earlier call's
    this.#lines += lines.length;
    if (this.#lines > 2 * MAX_ENTRIES) {
      await this.#rewrite();
      return;
    }
    const handle = await open(this.#file, "a", 0o600);
    try {
      await appendFile(handle, lines.join(""));
      await handle.datasync();
    } finally {
      await handle.close();
    }
  }

  async #rewrite(): Promise<void> {
    const surplus = this.#begun.size - MAX_ENTRIES;
    if (surplus > 0) {
      this.#log.warn("the oldest call ids are forgotten", { count: surplus });
      for (const key of [...this.#begun.keys()].slice(0, surplus)) this.#begun.delete(key);
    }
    const text = [...this.#begun].map(([key, atMs]) => `${atMs}\t${key}\n`).join("");
    await writeFileAtomic(this.#file, text);
    this.#lines = this.#begun.size;
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
