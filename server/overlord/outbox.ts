import { StreamMessageWriter, type Message } from "vscode-jsonrpc/node";
import type { Socket } from "node:net";

/** A client that takes nothing for this long while messages wait is gone, or hangs. */
const STALLED_MS = 30_000;
const MANY = 64;

/** Writes messages to one client and knows how far behind that client is. */
export class Outbox extends StreamMessageWriter {
  private unwritten = 0;
  private lastWrittenMs = Date.now();
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly socket: Socket) {
    super(socket);
  }

  /** More messages wait than a client that reads would let come together. */
  isBehind(): boolean {
    return this.unwritten >= MANY;
  }

  /** Requests that wait for the client to read. */
  get held(): number {
    return this.waiting.length;
  }

  /** Returns when the client is not behind any more. */
  async room(): Promise<void> {
    if (this.isBehind()) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  override async write(message: Message): Promise<void> {
    if (this.unwritten === 0) this.lastWrittenMs = Date.now();
    this.unwritten++;
    if (this.isBehind() && Date.now() - this.lastWrittenMs > STALLED_MS) this.socket.destroy();
    try {
      await super.write(message);
    } finally {
      this.unwritten--;
      this.lastWrittenMs = Date.now();
      if (!this.isBehind()) this.waiting.shift()?.();
    }
  }

  /** The connection has closed: nobody waits for it any more. */
  release(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}
