import { open, type FileHandle } from "node:fs/promises";
import {
  FILE_HEAD_BYTES,
  FRAME_HEAD_BYTES,
  FRAME_MARKER,
  frameLength,
  readFileHead,
  readFrame,
  type JournalFileHead,
  type JournalRecord,
} from "./journalFrame";

const READ_BYTES = 256 * 1024;

/** What reading one file of the journal tells, in the order of the file. */
export type JournalPiece =
  | { kind: "head"; head: JournalFileHead }
  | { kind: "record"; record: JournalRecord }
  /** Bytes that are no record. `atEnd`: and no whole record after them. */
  | { kind: "damage"; at: number; bytes: number; atEnd: boolean }
  /** The end is a record that was not written to its end, or space that was never written to. */
  | { kind: "torn"; at: number; bytes: number };

/** Reads a file of the journal. Throws what the file system says. */
export async function* readJournalFile(file: string): AsyncGenerator<JournalPiece> {
  const handle = await open(file, "r");
  try {
    yield* new Reader(handle).pieces();
  } finally {
    await handle.close();
  }
}

/** A window on the file that moves on. */
class Reader {
  private bytes: Buffer = Buffer.alloc(0);
  /** Of the window's first byte in the file. */
  private offset = 0;
  private ended = false;

  constructor(private readonly handle: FileHandle) {}

  async *pieces(): AsyncGenerator<JournalPiece> {
    await this.fill(FILE_HEAD_BYTES);
    const head = readFileHead(this.bytes);
    if (head) {
      yield { kind: "head", head };
      this.skip(FILE_HEAD_BYTES);
    }
    for (;;) {
      const record = await this.record();
      if (record) {
        yield { kind: "record", record };
        continue;
      }
      const at = this.offset;
      const looksTorn = await this.looksTorn();
      const found = await this.findRecord();
      if (this.offset === at && !found) return; // the end
      const bytes = this.offset - at;
      if (looksTorn && !found) yield { kind: "torn", at, bytes };
      else yield { kind: "damage", at, bytes, atEnd: !found };
      if (!found) return;
    }
  }

  /** The whole record that begins here, which is passed. */
  private async record(): Promise<JournalRecord | undefined> {
    await this.fill(FRAME_HEAD_BYTES);
    const length = frameLength(this.bytes, 0);
    if (length === undefined) return undefined;
    await this.fill(length);
    if (this.bytes.length < length) return undefined;
    const record = readFrame(this.bytes, 0, length);
    if (record) this.skip(length);
    return record;
  }

  /** A record whose end is missing or was never written to, or nothing but zeros up to the end. */
  private async looksTorn(): Promise<boolean> {
    const { length } = this.bytes;
    if (this.offset === 0) return length < FILE_HEAD_BYTES || this.isZero();
    if (length < FRAME_HEAD_BYTES) {
      const part = Math.min(length, FRAME_MARKER.length);
      if (FRAME_MARKER.subarray(0, part).equals(this.bytes.subarray(0, part))) return true;
    }
    const wanted = frameLength(this.bytes, 0);
    // no text ends in a zero
    if (wanted !== undefined) return length < wanted || this.bytes[wanted - 1] === 0;
    return this.isZero();
  }

  private async isZero(): Promise<boolean> {
    const buffer = Buffer.alloc(READ_BYTES);
    for (let at = this.offset; ;) {
      const { bytesRead } = await this.handle.read(buffer, 0, READ_BYTES, at);
      if (bytesRead === 0) return true;
      if (buffer.subarray(0, bytesRead).some((byte) => byte !== 0)) return false;
      at += bytesRead;
    }
  }

  /** Goes on to the next whole record, or to the end, where it answers false. */
  private async findRecord(): Promise<boolean> {
    let from = this.offset === 0 ? 0 : 1;
    for (;;) {
      const at = this.bytes.indexOf(FRAME_MARKER, from);
      if (at < 0) {
        if (this.ended) break;
        // the marker may lie across the border
        const passed = Math.max(0, this.bytes.length - FRAME_MARKER.length + 1);
        this.skip(passed);
        from = Math.max(0, from - passed);
        await this.fill(this.bytes.length + READ_BYTES);
        continue;
      }
      this.skip(at);
      await this.fill(FRAME_HEAD_BYTES);
      const length = frameLength(this.bytes, 0);
      if (length !== undefined) {
        await this.fill(length);
        if (this.bytes.length >= length && readFrame(this.bytes, 0, length)) return true;
      }
      from = 1;
    }
    this.skip(this.bytes.length);
    return false;
  }

  private skip(bytes: number): void {
    this.bytes = this.bytes.subarray(bytes);
    this.offset += bytes;
  }

  /** Until the window has `wanted` bytes, or the file ends. */
  private async fill(wanted: number): Promise<void> {
    if (this.bytes.length >= wanted || this.ended) return;
    const more = Buffer.allocUnsafe(Math.max(READ_BYTES, wanted - this.bytes.length));
    let read = 0;
    while (this.bytes.length + read < wanted) {
      const at = this.offset + this.bytes.length + read;
      const { bytesRead } = await this.handle.read(more, read, more.length - read, at);
      if (bytesRead === 0) {
        this.ended = true;
        break;
      }
      read += bytesRead;
    }
    this.bytes = Buffer.concat([this.bytes, more.subarray(0, read)]);
  }
}
