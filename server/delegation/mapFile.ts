import { setTimeout as sleep } from "node:timers/promises";
import { writeFileAtomic } from "../common/atomicFile";
import { FuncError, messageOf } from "../common/errors";
import { acquireLock, type Lock } from "../common/lockFile";
import type { MapNode } from "./delegationMap";
import { removeHalfWritten } from "./halfWritten";
import { formatMap, parseMap } from "./mapText";
import { readVersioned, type VersionedFile } from "./versionedFile";

const MAX_BYTES = 100_000_000;
/** Somebody else's edit takes a moment, not longer. */
const LOCK_WAIT_MS = 10_000;
const LOCK_AGAIN_MS = 50;
/** Where something else is in its place, or it cannot be opened. */
const NEXT_STEP = "Mend that, or remove it and build the map anew: func build-map.";

/** The map to delegate by. */
export interface CurrentMap {
  map: readonly MapNode[];
  /** Point in time of the file's last change. */
  changedAtMs: number;
  /** Why the file itself cannot be used: `map` is the last good one. */
  problem?: FuncError;
}

/**
 * A delegation map on the disk, which people and other overlords may change too. It is read anew whenever it has
 * changed; of a damaged one the last good state stays in use, and the problem with it is told each time.
 */
export class MapFile {
  private good: { map: readonly MapNode[]; changedAtMs: number } | undefined;
  private seen: { version: string; problem: FuncError | undefined } | undefined;
  private editing: Promise<unknown> = Promise.resolve();

  /** `goodCopy`: where the last good map is kept for an overlord to come. */
  constructor(
    readonly file: string,
    private readonly goodCopy?: string,
  ) {}

  /** Throws FuncError "not-found" where there is no map, and what is wrong where there is no good one either. */
  async current(): Promise<CurrentMap> {
    const problem = await this.refresh();
    if (problem?.reason === "not-found") throw problem;
    if (problem) this.good ??= await this.readCopy();
    if (this.good) return { ...this.good, ...(problem && { problem }) };
    throw problem ?? this.noMap();
  }

  /** The file as it is. Throws FuncError "not-found", "bad-data" where it cannot be read, "too-large". */
  async text(): Promise<string> {
    const read = await this.read(this.file, true);
    if (!read) throw this.noMap();
    return read.content;
  }

  /**
   * Replaces the map by what `change` makes of it, one at a time, also among processes; gives it. `change` gets an
   * empty map where there is none, and undefined where the file is damaged. Throws FuncError "unavailable".
   */
  async edit(
    change: (map: readonly MapNode[] | undefined) => readonly MapNode[],
  ): Promise<readonly MapNode[]> {
    const before = this.editing;
    const edited = before.then(() => this.editAlone(change));
    this.editing = edited.catch(() => undefined); // its own caller is told
    return edited;
  }

  private async editAlone(
    change: (map: readonly MapNode[] | undefined) => readonly MapNode[],
  ): Promise<readonly MapNode[]> {
    const lock = await this.lock();
    try {
      const before = await this.current().catch((error: unknown) => {
        if (error instanceof FuncError && error.reason === "not-found") return { map: [] };
        return undefined;
      });
      const damaged = before === undefined || "problem" in before;
      const map = change(damaged ? undefined : before.map);
      await removeHalfWritten(this.file);
      if (this.goodCopy !== undefined) await removeHalfWritten(this.goodCopy);
      await writeFileAtomic(this.file, formatMap(map)).catch((error: unknown) => {
        throw new FuncError(
          "unavailable",
          `${this.file} cannot be written: ${messageOf(error)}`,
          "The map is as it was. Look at the disk, then try again.",
        );
      });
      return map;
    } finally {
      await lock.release();
    }
  }

  private async lock(): Promise<Lock> {
    const until = Date.now() + LOCK_WAIT_MS;
    for (;;) {
      const lock = await acquireLock(`${this.file}.lock`, "an overlord");
      if (lock) return lock;
      if (Date.now() > until) {
        throw new FuncError(
          "conflict",
          `${this.file} is being written by another process for more than ${LOCK_WAIT_MS / 1_000} seconds.`,
          `If nobody does, remove ${this.file}.lock.`,
        );
      }
      await sleep(LOCK_AGAIN_MS);
    }
  }

  /** Reads the file where it has changed; gives what is wrong with it. */
  private async refresh(): Promise<FuncError | undefined> {
    try {
      const found = await this.read(this.file, false);
      if (found && this.seen?.version === found.version) return this.seen.problem;
      const read = found && (await this.read(this.file, true));
      if (read) return await this.take(read);
      return this.noMap();
    } catch (error) {
      // it may pass, other than what is wrong in a text
      this.seen = undefined;
      return error instanceof FuncError ? error : unreadable(this.file, error);
    }
  }

  private async take({
    version,
    changedAtMs,
    content,
  }: VersionedFile): Promise<FuncError | undefined> {
    try {
      const map = parseMap(content, this.file);
      this.good = { map, changedAtMs };
      this.seen = { version, problem: undefined };
      await this.keepCopy(content);
      return undefined;
    } catch (error) {
      const problem = error instanceof FuncError ? error : unreadable(this.file, error);
      this.seen = { version, problem };
      return problem;
    }
  }

  private async keepCopy(content: string): Promise<void> {
    if (this.goodCopy === undefined) return;
    // without it only a later overlord lacks the last good map
    await writeFileAtomic(this.goodCopy, content).catch(() => undefined);
  }

  private async readCopy(): Promise<typeof this.good> {
    if (this.goodCopy === undefined) return undefined;
    try {
      const read = await this.read(this.goodCopy, true);
      if (!read) return undefined;
      const map = parseMap(read.content, this.goodCopy);
      return { map, changedAtMs: read.changedAtMs };
    } catch {
      return undefined;
    }
  }

  private noMap(): FuncError {
    const message = `There is no delegation map at ${this.file}.`;
    // only the overlord's own one is built, and keeps a last good one
    const step =
      this.goodCopy === undefined
        ? "Correct its path, or name no file: then it is the overlord's own map."
        : "Build one: func build-map.";
    return new FuncError("not-found", message, step);
  }

  /** Undefined where there is no such file. Throws FuncError "bad-data", "too-large". */
  private async read(file: string, whole: boolean): Promise<VersionedFile | undefined> {
    try {
      return await readVersioned(file, { whole, maxBytes: MAX_BYTES, nextStep: NEXT_STEP });
    } catch (error) {
      throw error instanceof FuncError ? error : unreadable(file, error);
    }
  }
}

function unreadable(file: string, error: unknown): FuncError {
  return new FuncError("bad-data", `${file} cannot be read: ${messageOf(error)}`, NEXT_STEP);
}
