import { randomBytes } from "node:crypto";
import { renameSync } from "node:fs";
import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { FuncError, messageOf } from "../common/errors";
import type { OutputSpool, OutputWriter, SpooledOutput } from "../wire/outputSpool";
import { putAside, removeAside } from "./putAside";
import { spoolProblem } from "./spoolProblem";
import { SpoolWriter } from "./spoolWriter";

const DEFAULT_MAX_BYTES = 16 * 1024 ** 3;
/** How long an output waits for a job to take it: the rest of its answer may still be coming in. */
const UNCLAIMED_MS = 60 * 60_000;
const SWEEP_MS = 10 * 60_000;
const HASH = /^[0-9a-f]{64}$/;

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
}

/**
 * Outputs that are too large for memory: files in one private folder, named by the SHA-256 of what they
 * hold, equal ones once. A file stays while a job holds it.
 */
export class OutputFiles implements OutputSpool {
  private readonly files = new Map<string, OutputFile>();
  private readonly heldBy = new Map<string, Set<string>>();
  private readonly doomed = new Set<string>();
  private removing: Promise<void> | undefined;
  private makeRoom: () => boolean = () => false;
  private usedBytes = 0;
  private readonly sweepTimer: NodeJS.Timeout;

  private constructor(
    private readonly folder: string,
    private readonly maxBytes: number,
    private readonly unclaimedMs: number,
  ) {
    this.sweepTimer = setInterval(() => {
      this.sweep();
    }, SWEEP_MS).unref();
  }

  /**
   * Begins with nothing, not even the folder: the first output makes it. What a predecessor left is
   * removed in the background. To be called by the owner of the data directory's lock only.
   */
  static async open(folder: string, options: OutputFilesOptions = {}): Promise<OutputFiles> {
    const { maxBytes = DEFAULT_MAX_BYTES, unclaimedMs = UNCLAIMED_MS } = options;
    await putAside(folder);
    void removeAside(folder);
    return new OutputFiles(folder, maxBytes, unclaimedMs);
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
      adopt: (temporary, output) => {
        this.adopt(temporary, output);
      },
      problem: (error) => spoolProblem(this.folder, error),
    });
  }

  /** Takes an output for a job; false where it is gone. */
  hold(holder: string, sha256: string): boolean {
    const file = this.files.get(sha256);
    if (!file) return false;
    file.unclaimed = Math.max(0, file.unclaimed - 1);
    file.holders.add(holder);
    const held = this.heldBy.get(holder) ?? new Set();
    this.heldBy.set(holder, held.add(sha256));
    return true;
  }

  unclaim({ sha256 }: SpooledOutput): void {
    const file = this.files.get(sha256);
    if (!file) return;
    file.unclaimed = Math.max(0, file.unclaimed - 1);
    this.removeUnused(sha256, file);
  }

  isHolder(holder: string): boolean {
    return this.heldBy.has(holder);
  }

  /** The job is forgotten: what no other job holds is removed. */
  release(holder: string): void {
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
   * "not-found", "bad-data" for a file that was cut, "unavailable" where the disk fails.
   */
  async read(
    sha256: string,
    offset: number,
    length: number,
  ): Promise<{ bytes: Buffer; total: number }> {
    const file = this.files.get(sha256);
    if (!file) throw gone(sha256);
    const total = file.bytes;
    const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(length, total - offset)));
    try {
      const handle = await open(this.pathOf(sha256), "r");
      try {
        let read = 0;
        while (read < buffer.length) {
          const part = await handle.read(buffer, read, buffer.length - read, offset + read);
          if (part.bytesRead === 0) break;
          read += part.bytesRead;
        }
        if (read === buffer.length) return { bytes: buffer, total };
      } finally {
        await handle.close();
      }
    } catch (error) {
      if (codeOf(error) === "ENOENT") throw gone(sha256);
      throw new FuncError(
        "unavailable",
        `The output in ${this.pathOf(sha256)} cannot be read: ${messageOf(error)}`,
        "Look at the disk of the overlord's host, then try again.",
      );
    }
    throw new FuncError(
      "bad-data",
      `The file ${this.pathOf(sha256)} has been cut: it should have ${total} bytes.`,
      "Call the method again.",
    );
  }

  /** Removes all files; what lasts longer than two seconds is left to the next start. */
  async close(): Promise<void> {
    clearInterval(this.sweepTimer);
    this.files.clear();
    this.doomed.clear();
    await this.removing;
    await putAside(this.folder);
    const limit = new Promise<void>((resolve) => setTimeout(resolve, 2_000).unref());
    await Promise.race([removeAside(this.folder), limit]);
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

  /** Without a pause between look and move, so that two equal outputs cannot get into each other's way. */
  private adopt(temporary: string, { sha256, bytes }: SpooledOutput): void {
    // also over an equal one: somebody may have removed or cut that behind our back
    renameSync(temporary, this.pathOf(sha256));
    const known = this.files.get(sha256);
    if (known) {
      known.unclaimed++;
      known.finishedAtMs = Date.now();
      this.usedBytes -= bytes;
      return;
    }
    this.doomed.delete(sha256);
    const finishedAtMs = Date.now();
    this.files.set(sha256, { bytes, unclaimed: 1, finishedAtMs, holders: new Set() });
  }

  private removeUnused(sha256: string, file: OutputFile): void {
    if (file.holders.size > 0 || file.unclaimed > 0) return;
    this.files.delete(sha256);
    this.usedBytes -= file.bytes;
    this.doomed.add(sha256);
    this.removing ??= this.removeDoomed();
  }

  /** One at a time: a large file takes the disk a while. */
  private async removeDoomed(): Promise<void> {
    for (const sha256 of this.doomed) {
      this.doomed.delete(sha256);
      const temporary = this.temporary();
      try {
        // from here on a new file of the same name is safe
        renameSync(this.pathOf(sha256), temporary);
        await rm(temporary, { force: true });
      } catch {
        // the next start removes it
      }
    }
    this.removing = undefined;
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

  /** Only what is a hash can become the name of a file. */
  private pathOf(sha256: string): string {
    if (!HASH.test(sha256)) throw gone(sha256);
    return join(this.folder, sha256);
  }

  private temporary(): string {
    return join(this.folder, `${randomBytes(12).toString("hex")}.tmp`);
  }
}

function gone(sha256: string): FuncError {
  return new FuncError(
    "not-found",
    `The output ${sha256.slice(0, 12)} is not kept any more: its job was forgotten.`,
    "Call the method again.",
  );
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
