import { createHash } from "node:crypto";
import { open, rm, type FileHandle } from "node:fs/promises";
import type { OutputWriter, SpooledOutput } from "../../wire/outputSpool";

/** What may wait for the disk before the writer asks for a pause. */
const QUEUE_BYTES = 262_144;

/** What a writer needs of the folder that its file belongs to. */
export interface SpoolFolder {
  /** Makes the folder where it is missing. */
  ensure(): Promise<void>;
  /** Counts bytes that are about to be written. Throws FuncError "unavailable" beyond the limit. */
  grow(bytes: number): void;
  shrink(bytes: number): void;
  /** Gives a complete file its final name, durably. The bytes that `grow` counted are its own from now on, also where it rejects. */
  adopt(temporary: string, output: SpooledOutput): Promise<void>;
  /** The error for users. */
  problem(error: unknown): Error;
}

/** Writes one output to a temporary file while it comes in. */
export class SpoolWriter implements OutputWriter {
  private readonly hash = createHash("sha256");
  private queue: Buffer[] = [];
  private queuedBytes = 0;
  private bytes = 0;
  private writing: Promise<void> | undefined;
  private handle: FileHandle | undefined;
  private problem: Error | undefined;

  constructor(
    private readonly temporary: string,
    private readonly folder: SpoolFolder,
  ) {}

  /** The piece must stay as it is until it is written. */
  write(piece: Buffer): boolean {
    if (this.problem) return false;
    try {
      this.folder.grow(piece.length);
    } catch (error) {
      this.fail(error);
      return false;
    }
    this.bytes += piece.length;
    this.hash.update(piece);
    this.queue.push(piece);
    this.queuedBytes += piece.length;
    this.writing ??= this.writeQueue();
    return this.queuedBytes < QUEUE_BYTES;
  }

  async drained(): Promise<void> {
    await this.writing;
    if (this.problem) throw this.problem;
  }

  async finish(): Promise<SpooledOutput> {
    try {
      await this.drained();
      this.handle ??= await this.openFile();
      // a job that ends refers to it: no power cut may take it then
      await this.handle.datasync();
      await this.close();
      const output = { sha256: this.hash.digest("hex"), bytes: this.bytes };
      this.bytes = 0;
      await this.folder.adopt(this.temporary, output);
      return output;
    } catch (error) {
      this.fail(error);
      await this.discard();
      throw this.problem ?? error;
    }
  }

  async discard(): Promise<void> {
    this.queue = [];
    await this.writing;
    await this.close().catch(() => undefined);
    await rm(this.temporary, { force: true }).catch(() => undefined);
    this.folder.shrink(this.bytes);
    this.bytes = 0;
  }

  private fail(error: unknown): void {
    this.problem ??= this.folder.problem(error);
    this.queue = [];
  }

  private async writeQueue(): Promise<void> {
    try {
      this.handle ??= await this.openFile();
      while (this.queue.length > 0) {
        const piece = this.queue.length === 1 ? this.queue[0] : Buffer.concat(this.queue);
        this.queue = [];
        if (piece) await writeAll(this.handle, piece);
        this.queuedBytes -= piece?.length ?? 0;
      }
    } catch (error) {
      this.fail(error);
    }
    this.writing = undefined;
  }

  private async openFile(): Promise<FileHandle> {
    try {
      return await open(this.temporary, "wx", 0o600);
    } catch (error) {
      if (!(error instanceof Error) || !("code" in error) || error.code !== "ENOENT") throw error;
      await this.folder.ensure();
      return open(this.temporary, "wx", 0o600);
    }
  }

  private async close(): Promise<void> {
    const { handle } = this;
    this.handle = undefined;
    await handle?.close();
  }
}

/** A disk that is nearly full takes a part. */
async function writeAll(handle: FileHandle, piece: Buffer): Promise<void> {
  for (let at = 0; at < piece.length;) {
    const { bytesWritten } = await handle.write(piece, at);
    at += bytesWritten;
  }
}
