import type { Socket } from "node:net";
import { AbstractMessageWriter, type Message, type MessageWriter } from "vscode-jsonrpc/node";

/** A client that takes nothing for this long while messages wait is gone, or hangs. */
const STALLED_MS = 30_000;
const MANY = 64;
const MANY_BYTES = 4 * 1024 * 1024;

/** Writes messages to one client and knows how far behind that client is. */
export class Outbox extends AbstractMessageWriter implements MessageWriter {
  private unwritten = 0;
  private unwrittenBytes = 0;
  private readonly waiting: (() => void)[] = [];
  private readonly roomListeners: (() => void)[] = [];
  private stalled: NodeJS.Timeout | undefined;

  constructor(
    private readonly socket: Socket,
    private readonly stalledMs = STALLED_MS,
  ) {
    super();
    socket.on("error", (error) => {
      this.fireError(error);
    });
    socket.once("close", () => {
      clearTimeout(this.stalled);
      this.fireClose();
    });
  }

  /** More waits than a client that reads would let come together. */
  isBehind(): boolean {
    return this.unwritten >= MANY || this.unwrittenBytes >= MANY_BYTES;
  }

  /** Calls the listener each time that the client has caught up. */
  onRoom(listener: () => void): void {
    this.roomListeners.push(listener);
  }

  /** Requests that wait for the client to read. */
  get held(): number {
    return this.waiting.length;
  }

  /** Returns when the client is not behind any more. */
  async room(): Promise<void> {
    while (this.isBehind() && !this.socket.destroyed) {
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  async write(message: Message): Promise<void> {
    const body = Buffer.from(JSON.stringify(message));
    if (this.unwritten === 0) this.progressed();
    this.unwritten++;
    this.unwrittenBytes += body.length;
    try {
      await this.send(body);
    } finally {
      const wasBehind = this.isBehind();
      this.unwritten--;
      this.unwrittenBytes -= body.length;
      this.progressed();
      if (!this.isBehind()) {
        this.waiting.shift()?.();
        if (wasBehind) for (const listener of this.roomListeners) listener();
      }
    }
  }

  end(): void {
    // whoever ends the connection ends its socket
  }

  /** The connection has closed: nobody waits for it any more. */
  release(): void {
    clearTimeout(this.stalled);
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  private send(body: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.cork();
      this.socket.write(`Content-Length: ${body.length}\r\n\r\n`, "latin1");
      this.socket.write(body, (error) => {
        if (error) reject(error);
        else resolve();
      });
      this.socket.uncork();
    });
  }

  /** The client has taken something: its time begins anew, while something waits. */
  private progressed(): void {
    clearTimeout(this.stalled);
    if (this.unwritten === 0 || this.socket.destroyed) return;
    this.stalled = setTimeout(() => this.socket.destroy(), this.stalledMs);
  }
}
