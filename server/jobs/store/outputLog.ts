import { hash } from "node:crypto";
import { closeSync, fdatasyncSync, openSync, readSync, writeSync } from "node:fs";
import { DamagedFile } from "./databaseFile";

/** Written in pieces of this size: fewer calls to the disk. */
const BUFFER_BYTES = 256 * 1024;
/** Enough of a SHA-256 that no two outputs have the same. */
const HASH_BYTES = 16;

/** Where in a day's log an output is. */
export interface LogPlace {
  offset: number;
  length: number;
}

export function outputHash(text: Uint8Array): Buffer {
  return hash("sha256", text, "buffer").subarray(0, HASH_BYTES);
}

/**
 * The values of one day that are too large for its database, one behind the other. It has nothing of its own
 * that tells where they are: what the database does not know of is written over.
 */
export class OutputLog {
  private descriptor: number | undefined;
  private pending: Uint8Array[] = [];
  private pendingBytes = 0;
  private synced = true;

  constructor(
    readonly file: string,
    /** Up to where the database knows of outputs. */
    private size: number,
  ) {}

  /** With what is still in memory. */
  get bytes(): number {
    return this.size + this.pendingBytes;
  }

  append(text: Uint8Array): LogPlace {
    const place = { offset: this.bytes, length: text.length };
    this.pending.push(text);
    this.pendingBytes += text.length;
    this.synced = false;
    if (this.pendingBytes >= BUFFER_BYTES) this.tryWrite();
    return place;
  }

  /** Throws DamagedFile where the output is not what `digest` says, or what the disk says. */
  read({ offset, length }: LogPlace, digest: Uint8Array): Buffer {
    const bytes =
      offset >= this.size ? this.readPending(offset, length) : this.readFile(offset, length);
    if (!outputHash(bytes).equals(digest)) throw new DamagedFile(`it is damaged at byte ${offset}`);
    return bytes;
  }

  /** Makes durable what was appended. Throws what the disk says; nothing is lost then. */
  sync(): void {
    if (this.synced) return;
    this.write();
    fdatasyncSync(this.open());
    this.synced = true;
  }

  close(): void {
    if (this.descriptor !== undefined) closeSync(this.descriptor);
    this.descriptor = undefined;
  }

  /** On a full disk it stays in memory: the next one tries again. */
  private tryWrite(): void {
    try {
      this.write();
    } catch {
      // the checkpoint tells
    }
  }

  private write(): void {
    const bytes = Buffer.concat(this.pending);
    let written = 0;
    while (written < bytes.length) {
      written += writeSync(
        this.open(),
        bytes,
        written,
        bytes.length - written,
        this.size + written,
      );
    }
    this.size += bytes.length;
    this.pending = [];
    this.pendingBytes = 0;
  }

  private readPending(offset: number, length: number): Buffer {
    const from = offset - this.size;
    const bytes = this.pending.length === 1 ? this.pending[0] : Buffer.concat(this.pending);
    this.pending = bytes ? [bytes] : [];
    return Buffer.from(bytes?.subarray(from, from + length) ?? []);
  }

  private readFile(offset: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    let read = 0;
    while (read < length) {
      const count = readSync(this.open(), bytes, read, length - read, offset + read);
      if (count === 0) throw new DamagedFile("it has been cut");
      read += count;
    }
    return bytes;
  }

  private open(): number {
    this.descriptor ??= openForUpdate(this.file);
    return this.descriptor;
  }
}

/** Made where it is missing. */
function openForUpdate(file: string): number {
  try {
    return openSync(file, "r+", 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return openSync(file, "wx+", 0o600);
  }
}
