import { crc32 } from "node:zlib";

/**
 * A frame is a head and the payload. The head is the marker, the record's number (u64), the payload's length (u32), a CRC-32
 * of these, and one of the head so far and the payload.
 */
export const FRAME_HEAD_BYTES = 24;
/** Of one payload: beyond that a length is taken for damage. */
export const MAX_PAYLOAD_BYTES = 64 * 1024 * 1024;
/** No text in UTF-8 contains the byte FF, so that a frame is found again after damage. */
export const FRAME_MARKER = Buffer.from([0xff, 0x4a, 0x46, 0xfe]);

/** A file begins with its magic, the number of its first record, and the last number before it that counts. */
export const FILE_HEAD_BYTES = 28;
const FILE_MAGIC = Buffer.from("FUNCJRN1");

const SEQ_AT = 4;
const LENGTH_AT = 12;
const HEAD_CRC_AT = 16;
const CRC_AT = 20;
const FIRST_AT = 8;
const FOLLOWS_AT = 16;
const FILE_CRC_AT = 24;

/** One record of the journal: `payload` are JobEvents as JSON, one a line. */
export interface JournalRecord {
  seq: number;
  payload: Buffer;
}

export interface JournalFileHead {
  /** The number of the first record. */
  first: number;
  /** Records of earlier files with higher numbers were never acknowledged, and do not count. */
  follows: number;
}

/** What a frame begins with; its payload goes after it. */
export function frameHead({ seq, payload }: JournalRecord): Buffer {
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  FRAME_MARKER.copy(head);
  head.writeBigUInt64LE(BigInt(seq), SEQ_AT);
  head.writeUInt32LE(payload.length, LENGTH_AT);
  head.writeUInt32LE(crc32(head.subarray(0, HEAD_CRC_AT)), HEAD_CRC_AT);
  head.writeUInt32LE(crc32(payload, crc32(head.subarray(0, CRC_AT))), CRC_AT);
  return head;
}

export function fileHead({ first, follows }: JournalFileHead): Buffer {
  const head = Buffer.alloc(FILE_HEAD_BYTES);
  FILE_MAGIC.copy(head);
  head.writeBigUInt64LE(BigInt(first), FIRST_AT);
  head.writeBigUInt64LE(BigInt(follows), FOLLOWS_AT);
  head.writeUInt32LE(crc32(head.subarray(0, FILE_CRC_AT)), FILE_CRC_AT);
  return head;
}

/** Undefined where it is damaged. */
export function readFileHead(bytes: Buffer): JournalFileHead | undefined {
  if (bytes.length < FILE_HEAD_BYTES) return undefined;
  const whole =
    bytes.subarray(0, FIRST_AT).equals(FILE_MAGIC) &&
    bytes.readUInt32LE(FILE_CRC_AT) === crc32(bytes.subarray(0, FILE_CRC_AT));
  if (!whole) return undefined;
  return {
    first: Number(bytes.readBigUInt64LE(FIRST_AT)),
    follows: Number(bytes.readBigUInt64LE(FOLLOWS_AT)),
  };
}

/** The length of the whole frame that begins at `at`; undefined where there is no whole head. */
export function frameLength(bytes: Buffer, at: number): number | undefined {
  if (bytes.length - at < FRAME_HEAD_BYTES) return undefined;
  if (FRAME_MARKER.compare(bytes, at, at + SEQ_AT) !== 0) return undefined;
  const sum = crc32(bytes.subarray(at, at + HEAD_CRC_AT));
  if (sum !== bytes.readUInt32LE(at + HEAD_CRC_AT)) return undefined;
  const length = bytes.readUInt32LE(at + LENGTH_AT);
  return length > MAX_PAYLOAD_BYTES ? undefined : FRAME_HEAD_BYTES + length;
}

/** The record of the `length` bytes at `at`; undefined where its checksum is wrong. */
export function readFrame(bytes: Buffer, at: number, length: number): JournalRecord | undefined {
  const payload = bytes.subarray(at + FRAME_HEAD_BYTES, at + length);
  const sum = crc32(payload, crc32(bytes.subarray(at, at + CRC_AT)));
  if (sum !== bytes.readUInt32LE(at + CRC_AT)) return undefined;
  return { seq: Number(bytes.readBigUInt64LE(at + SEQ_AT)), payload };
}
