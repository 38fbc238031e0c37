import { readOutput, type OutputReader } from "../../server/client/outputs";
import type { OutputRef } from "../../server/protocol/outputs";

/** Bytes that are read by range, in memory or at the overlord. */
export interface ByteSource {
  readonly bytes: number;
  /** The bytes from `offset`, fewer than `length` only at the end. Throws FuncError. */
  read(offset: number, length: number, signal?: AbortSignal): Promise<Buffer>;
}

export function bufferSource(buffer: Buffer): ByteSource {
  return {
    bytes: buffer.length,
    read: (offset, length) => Promise.resolve(buffer.subarray(offset, offset + length)),
  };
}

export function textSource(text: string): ByteSource {
  return bufferSource(Buffer.from(text, "utf8"));
}

export function outputSource(reader: OutputReader, ref: OutputRef): ByteSource {
  return {
    bytes: ref.bytes,
    read: (offset, length, signal) => readOutput(reader, ref, { offset, length, signal }),
  };
}

/** One after another. */
export function joinedSource(sources: readonly ByteSource[]): ByteSource {
  const bytes = sources.reduce((sum, source) => sum + source.bytes, 0);
  return {
    bytes,
    async read(offset, length, signal) {
      const end = Math.min(bytes, offset + length);
      const pieces: Buffer[] = [];
      let start = 0;
      for (const source of sources) {
        const from = Math.max(offset, start) - start;
        const to = Math.min(end, start + source.bytes) - start;
        if (from < to) pieces.push(await source.read(from, to - from, signal));
        start += source.bytes;
      }
      return Buffer.concat(pieces);
    },
  };
}
