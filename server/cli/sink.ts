import type { Writable } from "node:stream";
import { inertText } from "../common/inertText";

/** One of the two streams that func writes to. */
export class Sink {
  constructor(private readonly stream: Writable & { isTTY?: boolean; columns?: number }) {}

  /** True where it is a terminal, which obeys control characters. */
  get terminal(): boolean {
    return this.stream.isTTY === true;
  }

  /** How wide the terminal is; undefined where it is none. */
  get columns(): number | undefined {
    return this.terminal ? this.stream.columns : undefined;
  }

  /** Takes text of any origin at once. Newlines are the caller's. */
  text(text: string): void {
    if (text !== "") this.stream.write(this.terminal ? inertText(text) : text);
  }

  /**
   * Takes a chunk as it is, for a terminal it must be inert already. Resolves once it is written, so that
   * whoever awaits it is no faster than its reader.
   */
  async chunk(chunk: string | Buffer): Promise<void> {
    if (chunk.length === 0) return;
    await new Promise<void>((resolve) => {
      // Output listens to errors
      this.stream.write(chunk, () => {
        resolve();
      });
    });
  }

  /** Resolves once everything is handed to the operating system. */
  async flush(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.stream.write("", () => {
        resolve();
      });
    });
  }
}
