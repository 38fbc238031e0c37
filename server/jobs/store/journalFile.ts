import { open, rm, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { syncFolder } from "../../common/atomicFile";
import { fileHead, frameHead, type JournalFileHead, type JournalRecord } from "./journalFrame";

/** One file of the journal, which records are added to. */
export class JournalFile {
  private size = 0;
  private lastSeq: number;
  private broken = false;

  private constructor(
    readonly path: string,
    readonly first: number,
    private readonly handle: FileHandle,
  ) {
    this.lastSeq = first - 1;
  }

  /** Makes the file, durably. Rejects with what the file system says, and leaves nothing; `EEXIST` where there is one. */
  static async create(path: string, head: JournalFileHead): Promise<JournalFile> {
    const handle = await open(path, "wx", 0o600);
    const file = new JournalFile(path, head.first, handle);
    try {
      await file.write([fileHead(head)]);
      await syncFolder(dirname(path));
      return file;
    } catch (error) {
      await handle.close().catch(() => undefined);
      await rm(path, { force: true }).catch(() => undefined);
      throw error;
    }
  }

  get bytes(): number {
    return this.size;
  }

  /** Number of the last record that is durable in it, or before it. */
  get last(): number {
    return this.lastSeq;
  }

  /** True where a write has failed and could not be taken back: it takes no more. */
  get isBroken(): boolean {
    return this.broken;
  }

  /** Adds records with one write and one sync. Rejects with what the file system says: then none was added. */
  async add(records: readonly JournalRecord[]): Promise<void> {
    await this.write(records.flatMap((record) => [frameHead(record), record.payload]));
    this.lastSeq = records.at(-1)?.seq ?? this.lastSeq;
  }

  async close(): Promise<void> {
    await this.handle.close();
  }

  private async write(pieces: readonly Buffer[]): Promise<void> {
    const bytes = pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces);
    try {
      // a disk that is nearly full takes a part
      for (let at = 0; at < bytes.length;) {
        const { bytesWritten } = await this.handle.write(bytes, at, undefined, this.size + at);
        at += bytesWritten;
      }
      await this.handle.datasync();
      this.size += bytes.length;
    } catch (error) {
      await this.takeBack();
      throw error;
    }
  }

  private async takeBack(): Promise<void> {
    try {
      await this.handle.truncate(this.size);
      await this.handle.datasync();
    } catch {
      this.broken = true;
    }
  }
}
