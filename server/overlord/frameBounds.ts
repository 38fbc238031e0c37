/** Arguments of a call are by far the largest that clients send. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;
const MAX_HEADER_BYTES = 4_096;
const HEADER_END = "\r\n\r\n";

/**
 * Follows the frames of a JSON-RPC stream. The library's reader keeps whatever comes until a message is
 * whole, however long its header says that it is, and goes through an unfinished header anew with
 * every piece; asking here first bounds both.
 */
export class FrameBounds {
  private header = "";
  private bodyLeft = 0;

  constructor(private readonly maxBodyBytes = MAX_BODY_BYTES) {}

  /** Takes the next piece of the stream; false where it is too large or not clearly framed. */
  accept(piece: Uint8Array): boolean {
    let at = 0;
    while (at < piece.length) {
      if (this.bodyLeft > 0) {
        const taken = Math.min(this.bodyLeft, piece.length - at);
        this.bodyLeft -= taken;
        at += taken;
        continue;
      }
      const before = this.header.length;
      const more = Buffer.from(piece.subarray(at, at + MAX_HEADER_BYTES)).toString("latin1");
      this.header += more;
      const end = this.header.indexOf(HEADER_END);
      if (end < 0 ? this.header.length > MAX_HEADER_BYTES : end > MAX_HEADER_BYTES) return false;
      if (end < 0) {
        at += more.length;
        continue;
      }
      const length = bodyLength(this.header.slice(0, end));
      if (length === undefined || length > this.maxBodyBytes) return false;
      at += end + HEADER_END.length - before;
      this.header = "";
      this.bodyLeft = length;
    }
    return true;
  }
}

/** Undefined where the reader might understand the header in another way than this. */
function bodyLength(header: string): number | undefined {
  const lines = header.split("\r\n");
  if (!lines.every((line) => /^[\x20-\x7e]+$/.test(line))) return undefined;
  const lengths = lines.filter((line) => /^content-length/i.test(line));
  const digits = /^content-length: *(\d{1,15}) *$/i.exec(lengths[0] ?? "")?.[1];
  return lengths.length === 1 && digits !== undefined ? Number(digits) : undefined;
}
