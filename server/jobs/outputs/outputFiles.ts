import { randomBytes } from "node:crypto";
import { renameSync } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { FuncError, messageOf } from "../../common/errors";
import type { OutputSpool, OutputWriter, SpooledOutput } from "../../wire/outputSpool";
import { FolderSync } from "./folderSync";
import { readOutputFile } from "./outputFileRead";
import { spoolProblem } from "./spoolProblem";
import { SpoolWriter } from "./spoolWriter";

const DEFAULT_MAX_BYTES = 16 * 1024 ** 3;
/** How long an output waits for a job to take it: the rest of its answer may still be coming in. */
const UNCLAIMED_MS = 60 * 60_000;
const SWEEP_MS = 10 * 60_000;
const CLOSE_LIMIT_MS = 2_000;
/** The hash, and how many bytes it is of: so that a cut is noticed. */
const NAME = /^([0-9a-f]{64})\.(\d{1,15})$/;
/** What was being written when the overlord ended. */
const LEFTOVER = /^[0-9a-f]{24}\.tmp$/;

export interface OutputFilesOptions {
  /** Most bytes on disk, those under way included. */
  maxBytes?: number;
  unclaimedMs?: number;
}

interface OutputFile {
  bytes: number;
  /** How often it was finished for a value that no job has taken yet. */
  unclaimed: number;
  finishedAtMs: number;
  /** Jobs that refer to it. */
  holders: Set<string>;
  /** Of an earlier process, and not known yet whether a job of that one holds it. */
  inherited?: boolean;
}

/**
 * Outputs that are too large for memory: files in one private folder, named by the SHA-256 of what they
 * hold, equal ones once. A file is on the disk to stay once it has its name, and goes when no job holds it.
 */
export class OutputFiles implements OutputSpool {
  private readonly files = new Map<string, OutputFile>();
  private readonly heldBy = new Map<string, Set<string>>();
  private readonly doomed = new Map<string, number>();
  private removing: Promise<void> | undefined;
  private makeRoom: () => boolean = () => false;
  private usedBytes = 0;
  private readonly sweepTimer: NodeJS.Timeout;
  private readonly folderSync: FolderSync;
  /** Jobs that let go before it was known what they hold; undefined once that is known. */
  private released: Set<string> | undefined = new Set();

  private constructor(
    private readonly folder: string,
    private readonly maxBytes: number,
    private readonly unclaimedMs: number,
  ) {
    this.folderSync = new FolderSync(folder);
    this.sweepTimer = setInterval(() => {
      this.sweep();
    }, SWEEP_MS).unref();
  }

  /**
   * Takes what an earlier process left in the folder; without one, the first output makes it. To be called by the
   * owner of the data directory's lock only, and followed by `inherit`. Throws FuncError "unavailable".
   */
  static async open(folder: string, options: OutputFilesOptions = {}): Promise<OutputFiles> {
    const { maxBytes = DEFAULT_MAX_BYTES, unclaimedMs = UNCLAIMED_MS } = options;
    const files = new OutputFiles(folder, maxBytes, unclaimedMs);
    for (const name of await namesIn(folder)) {
      const [, sha256, bytes] = NAME.exec(name) ?? [];
      if (sha256 !== undefined) files.found(sha256, Number(bytes));
      else if (LEFTOVER.test(name)) void files.remove(join(folder, name));
    }
    return files;
  }

  /** What the jobs of earlier processes hold. All else that these processes left is removed in the background. */
  inherit(held: readonly { jobId: string; sha256: readonly string[] }[]): void {
    const { released } = this;
    this.released = undefined;
    for (const { jobId, sha256 } of held) {
      if (released?.has(jobId)) continue;
      for (const one of sha256) this.take(jobId, one);
    }
    for (const [sha256, file] of this.files) {
      if (!file.inherited) continue;
      file.inherited = false;
      this.removeUnused(sha256, file);
    }
  }

  /** Bytes on disk, those of outputs under way included. */
  get bytes(): number {
    return this.usedBytes;
  }

  /** `makeRoom` lets go of what is held longest and answers false where there is nothing more. */
  onFull(makeRoom: () => boolean): void {
    this.makeRoom = makeRoom;
  }

  create(): OutputWriter {
    return new SpoolWriter(this.temporary(), {
      ensure: () => this.ensure(),
      grow: (bytes) => {
        this.grow(bytes);
      },
      shrink: (bytes) => {
        this.usedBytes -= bytes;
      },
      adopt: (temporary, output) => this.adopt(temporary, output),
      problem: (error) => spoolProblem(this.folder, error),
    });
  }

  /** Takes an output for a job; false where it is gone. */
  hold(holder: string, sha256: string): boolean {
    const file = this.take(holder, sha256);
    if (!file) return false;
    file.unclaimed = Math.max(0, file.unclaimed - 1);
    return true;
  }

  unclaim({ sha256 }: SpooledOutput): void {
    const file = this.files.get(sha256);
    if (!file) return;
    file.unclaimed = Math.max(0, file.unclaimed - 1);
    this.removeUnused(sha256, file);
  }

  isHeldBy(holder: string, sha256: string): boolean {
    return this.heldBy.get(holder)?.has(sha256) === true;
  }

  /** Who holds outputs, longest first. */
  holders(): Iterable<string> {
    return this.heldBy.keys();
  }

  /** The job is forgotten: what no other job holds is removed. */
  release(holder: string): void {
    this.released?.add(holder);
    const held = this.heldBy.get(holder);
    this.heldBy.delete(holder);
    for (const sha256 of held ?? []) {
      const file = this.files.get(sha256);
      if (!file) continue;
      file.holders.delete(holder);
      this.removeUnused(sha256, file);
    }
  }

  /**
   * A range of an output, shorter only at its end, and how many bytes it has in all. Throws FuncError
   * "not-found", "bad-data" for a file that is missing or was cut, "unavailable" where the disk fails.
   */
  async read(
    sha256: string,
    offset: number,
    length: number,
  ): Promise<{ bytes: Buffer; total: number }> {
    const file = this.files.get(sha256);
    if (!file) throw gone(sha256);
    const { bytes: total, holders } = file;
    const range = { offset, length: Math.max(0, Math.min(length, total - offset)) };
    const bytes = await readOutputFile({
      path: this.pathOf(sha256, total),
      sha256,
      total,
      ...range,
      jobs: holders,
    });
    return { bytes, total };
  }

  /** Lets the files be: they are there at the next start. What is just being removed may be, too. */
  async close(): Promise<void> {
    clearInterval(this.sweepTimer);
    const limit = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_LIMIT_MS).unref());
    await Promise.race([this.removing, limit]);
  }

  /** As a job of an earlier process, too: nothing was finished for it. */
  private take(holder: string, sha256: string): OutputFile | undefined {
    const file = this.files.get(sha256);
    if (!file) return undefined;
    file.holders.add(holder);
    const held = this.heldBy.get(holder) ?? new Set();
    this.heldBy.set(holder, held.add(sha256));
    return file;
  }

  private found(sha256: string, bytes: number): void {
    if (this.files.has(sha256)) return; // under a second length, by whoever put it there
    const finishedAtMs = Date.now();
    const holders = new Set<string>();
    this.files.set(sha256, { bytes, unclaimed: 0, finishedAtMs, holders, inherited: true });
    this.usedBytes += bytes;
  }

  private grow(bytes: number): void {
    while (this.usedBytes + bytes > this.maxBytes) {
      if (!this.makeRoom()) {
        throw new Error(
          `the running jobs' outputs have ${this.maxBytes} bytes, which is the limit`,
        );
      }
    }
    this.usedBytes += bytes;
  }

  private async adopt(temporary: string, output: SpooledOutput): Promise<void> {
    this.name(temporary, output);
    try {
      await this.folderSync.sync();
    } catch (error) {
      this.unclaim(output);
      throw error;
    }
  }

  /** Without a pause between look and move, so that two equal outputs cannot get into each other's way. */
  private name(temporary: string, { sha256, bytes }: SpooledOutput): void {
    const known = this.files.get(sha256);
    try {
      // also over an equal one: somebody may have removed or cut that behind our back
      renameSync(temporary, this.pathOf(sha256, bytes));
    } catch (error) {
      this.usedBytes -= bytes;
      throw error;
    }
    const finishedAtMs = Date.now();
    if (known) {
      known.unclaimed++;
      known.finishedAtMs = finishedAtMs;
      this.usedBytes -= bytes;
      return;
    }
    this.doomed.delete(sha256);
    this.files.set(sha256, { bytes, unclaimed: 1, finishedAtMs, holders: new Set() });
  }

  private removeUnused(sha256: string, file: OutputFile): void {
    if (file.holders.size > 0 || file.unclaimed > 0 || file.inherited) return;
    this.files.delete(sha256);
    this.usedBytes -= file.bytes;
    this.doomed.set(sha256, file.bytes);
    this.removing ??= this.removeDoomed();
  }

  /** One at a time: a large file takes the disk a while. */
  private async removeDoomed(): Promise<void> {
    for (const [sha256, bytes] of this.doomed) {
      this.doomed.delete(sha256);
      await this.remove(this.pathOf(sha256, bytes));
    }
    this.removing = undefined;
  }

  /** Never rejects: what cannot be removed is found at the next start. */
  private async remove(path: string): Promise<void> {
    const temporary = this.temporary();
    try {
      // from here on a new file of the same name is safe
      renameSync(path, temporary);
      await rm(temporary, { force: true });
    } catch {
      // gone, or a disk that takes nothing
    }
  }

  /** Outputs of answers that were given up before they were whole. */
  private sweep(): void {
    const before = Date.now() - this.unclaimedMs;
    for (const [sha256, file] of this.files) {
      if (file.unclaimed === 0 || file.finishedAtMs > before) continue;
      file.unclaimed = 0;
      this.removeUnused(sha256, file);
    }
  }

  /** Not its parents: a data directory that was taken away is not to come back. */
  private async ensure(): Promise<void> {
    await mkdir(this.folder, { mode: 0o700 }).catch((error: unknown) => {
      if (codeOf(error) !== "EEXIST") throw error;
    });
  }

  /** Only of what is in `files`: a name from elsewhere never becomes a path. */
  private pathOf(sha256: string, bytes: number): string {
    return join(this.folder, `${sha256}.${bytes}`);
  }

  private temporary(): string {
    return join(this.folder, `${randomBytes(12).toString("hex")}.tmp`);
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    // an obstacle in its place is told with the first output
    if (["ENOENT", "ENOTDIR"].includes(String(codeOf(error)))) return [];
    throw new FuncError(
      "unavailable",
      `The outputs of jobs in ${folder} cannot be read: ${messageOf(error)}`,
      "See that this folder can be read by the user who runs the overlord.",
    );
  }
}

function gone(sha256: string): FuncError {
  return new FuncError(
    "not-found",
    `The output ${sha256.slice(0, 12)} is not kept any more: its job was deleted, or forgotten for its age or for room.`,
    "Call the method again where you need it; jobs in overlord.yaml says how long jobs are kept.",
  );
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
