import { randomBytes } from "node:crypto";
import { rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "./atomicFile";
import { messageOf } from "./errors";
import type { Log } from "./log";

const RESERVE_BYTES = 128 * 1024;
/** From so many times its size on there is room for the reserve: else it would only be what fills the disk. */
const ROOM = 4;
const RENEW_EVERY_MS = 30_000;
const MAX_CAUSES = 5;

/** Where what has to be written gets its space from. */
export interface Space {
  /** Does what needs space; rejects as that does. */
  spend<T>(work: () => Promise<T>): Promise<T>;
}

/** Nothing is kept back. */
export const NO_RESERVE: Space = { spend: (work) => work() };

/**
 * A file that only takes space, to give it back where a disk is full: so that what is needed to clean up
 * there can still be written.
 */
export class DiskReserve implements Space {
  readonly #folder: string;
  readonly #file: string;
  readonly #log: Log;
  readonly #bytes: number;
  #lacksRoom = false;
  #timer: NodeJS.Timeout | undefined;
  #renewing: Promise<void> = Promise.resolve();

  /** The file is `<folder>/reserve`. */
  constructor(folder: string, log: Log, bytes = RESERVE_BYTES) {
    this.#folder = folder;
    this.#bytes = bytes;
    this.#file = join(folder, "reserve");
    this.#log = log;
  }

  /** True while the disk has no room for the reserve: what can wait should not be written. */
  get lacksRoom(): boolean {
    return this.#lacksRoom;
  }

  /** Makes the file, and again each half minute where it was used and there is room. Never rejects. */
  async keep(): Promise<void> {
    this.#timer ??= setInterval(() => void this.#renew(), RENEW_EVERY_MS).unref();
    await this.#renew();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#renewing;
  }

  /** Does what needs space; once more, with the space of the reserve, where there was none. */
  async spend<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!isFull(error)) throw error;
      await this.release();
      return work();
    }
  }

  /** Gives the space back. Never rejects. */
  async release(): Promise<void> {
    await this.#renewing;
    try {
      await rm(this.#file);
      this.#lacksRoom = true;
      this.#log.warn("the disk is full: its reserve is being used", { file: this.#file });
    } catch {
      // used before, or nothing can be changed here
    }
  }

  #renew(): Promise<void> {
    this.#renewing = this.#renewing.then(async () => {
      try {
        this.#lacksRoom = !(await isThere(this.#file));
        if (!this.#lacksRoom) return;
        const { bavail, bsize } = await statfs(this.#folder);
        if (bavail * bsize < ROOM * this.#bytes) return;
        // random: a file system that compresses would keep no room for zeros
        await writeFileAtomic(this.#file, randomBytes(this.#bytes));
        this.#lacksRoom = false;
      } catch (error) {
        // anything else is no lack of room, and shows where something is written
        this.#lacksRoom = isFull(error);
        this.#log.debug("the reserve cannot be made", { problem: messageOf(error) });
      }
    });
    return this.#renewing;
  }
}

/** True where an error says that there is no space. */
export function isFull(error: unknown): boolean {
  return hasCode(error, ["ENOSPC", "EDQUOT"]);
}

/** True where an error says that nothing can be written for now: no space, or a disk that is read-only. */
export function isUnwritable(error: unknown): boolean {
  return isFull(error) || hasCode(error, ["EROFS"]);
}

function hasCode(error: unknown, codes: readonly string[]): boolean {
  let cause = error;
  for (let depth = 0; depth < MAX_CAUSES && cause instanceof Error; depth++) {
    if ("code" in cause && codes.includes(String(cause.code))) return true;
    ({ cause } = cause);
  }
  return false;
}

async function isThere(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined)) !== undefined;
}
