/** Notes are written after this long, or when there are so many. */
const FLUSH_MS = 1_000;
const FLUSH_BYTES = 64 * 1024;
/** Of notes that could not be written: older ones are let go of. */
const MAX_KEPT_BYTES = 1024 * 1024;

/** Lines that may wait a second for the disk, or for the next write that cannot wait. */
export class NoteBuffer {
  private lines: string[] = [];
  private bytes = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly flush: () => void) {}

  add(lines: readonly string[]): void {
    for (const line of lines) {
      this.lines.push(line);
      this.bytes += line.length;
    }
    if (this.bytes >= FLUSH_BYTES) this.flush();
    else this.timer ??= setTimeout(this.flush, FLUSH_MS);
  }

  /** All that wait, which no longer do. */
  take(): string[] {
    clearTimeout(this.timer);
    this.timer = undefined;
    const { lines } = this;
    this.lines = [];
    this.bytes = 0;
    return lines;
  }

  /** Lines that could not be written wait again, before those that came meanwhile. */
  putBack(lines: readonly string[]): void {
    const all = [...lines, ...this.take()];
    let bytes = 0;
    let first = all.length;
    while (first > 0 && bytes + (all[first - 1]?.length ?? 0) <= MAX_KEPT_BYTES) {
      bytes += all[--first]?.length ?? 0;
    }
    this.lines = all.slice(first);
    this.bytes = bytes;
    if (this.lines.length > 0) this.timer = setTimeout(this.flush, FLUSH_MS);
  }
}
