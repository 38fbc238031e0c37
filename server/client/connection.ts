import {
  CancellationTokenSource,
  createMessageConnection,
  NullLogger,
  StreamMessageReader,
  StreamMessageWriter,
  type MessageConnection,
} from "vscode-jsonrpc/node";
import { FuncError } from "../common/errors";
import type { OverlordHello } from "../protocol/overlord";
import type { OverlordNotifications, OverlordRequests } from "../protocol/requests";
import { openOverlordSocket, type OverlordOptions, type OverlordSocket } from "./endpoint";
import { errorFromResponse } from "./responseError";

/** For requests without a `timeoutMs`: longer than any of them should take. */
const REQUEST_TIMEOUT_MS = 120_000;
const INITIALIZE_TIMEOUT_MS = 10_000;

export interface Subscription {
  dispose(): void;
}

/** A connection to the overlord; it is not made again by itself when it closes. */
export interface OverlordConnection {
  readonly hello: OverlordHello;
  /**
   * Sends a request. Throws FuncError with the overlord's reason; "cancelled" and "timed-out" come at
   * once (default 120 s), and the overlord is told; "unavailable" where the connection closes.
   */
  request<M extends keyof OverlordRequests>(
    method: M,
    params: OverlordRequests[M]["params"],
    options?: RequestOptions,
  ): Promise<OverlordRequests[M]["result"]>;
  on<N extends keyof OverlordNotifications>(
    name: N,
    listener: (params: OverlordNotifications[N]) => void,
  ): Subscription;
  /** Calls the listener once, when the connection has closed, also by dispose(). */
  onClose(listener: () => void): Subscription;
  /** Closes this connection; the overlord goes on. */
  dispose(): void;
}

export interface RequestOptions {
  signal?: AbortSignal;
  timeoutMs?: number;
}

/** One that this process has made itself. */
export interface OwnConnection extends OverlordConnection {
  readonly closed: boolean;
  /** Whether this process stays alive for it while nothing else keeps it; at first it does. */
  keepAlive(wanted: boolean): void;
}

/**
 * Connects to the overlord, starting it where needed, and checks that it is the right one.
 * Throws FuncError as openOverlordSocket does, and "denied" where either side's proof is wrong.
 */
export async function connectOverlord(options: OverlordOptions): Promise<OwnConnection> {
  const deadline = Date.now() + (options.timeoutMs ?? 20_000);
  for (;;) {
    const timeoutMs = Math.max(1, deadline - Date.now());
    const opened = await openOverlordSocket({ ...options, timeoutMs });
    const connection = new Connection(opened);
    try {
      await connection.initialize(opened, options.signal);
      return connection;
    } catch (error) {
      connection.dispose();
      // it was just ending itself: the next one is started
      const ending = error instanceof FuncError && error.reason === "unavailable";
      if (!ending || !connection.closedByPeer || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

class Connection implements OwnConnection {
  hello!: OverlordHello;
  closedByPeer = false;
  closed = false;
  private readonly rpc: MessageConnection;
  private readonly listeners = new Map<string, Set<(params: never) => void>>();
  private readonly closeListeners = new Set<() => void>();

  constructor(private readonly opened: OverlordSocket) {
    const { socket } = opened;
    this.rpc = createMessageConnection(
      new StreamMessageReader(socket),
      new StreamMessageWriter(socket),
      NullLogger,
    );
    this.rpc.onNotification((method, params) => {
      for (const listener of this.listeners.get(method) ?? []) listener(params as never);
    });
    // a message that cannot be read means that the stream is of no use any more
    this.rpc.onError(() => {
      this.close();
    });
    socket.once("close", () => {
      this.closedByPeer = !this.closed;
      this.close();
    });
    this.rpc.listen();
  }

  async initialize(opened: OverlordSocket, signal: AbortSignal | undefined): Promise<void> {
    const params = {
      processId: process.pid,
      rootUri: null,
      capabilities: {},
      initializationOptions: opened.hello,
    };
    const answer = await this.send("initialize", params, {
      signal,
      timeoutMs: INITIALIZE_TIMEOUT_MS,
    });
    this.hello = opened.checkHello(answer);
    try {
      await this.rpc.sendNotification("initialized", {});
    } catch {
      // it has ended right behind its answer, before that was noticed here
      this.closedByPeer = true;
      throw connectionClosed();
    }
  }

  async request<M extends keyof OverlordRequests>(
    method: M,
    params: OverlordRequests[M]["params"],
    options: RequestOptions = {},
  ): Promise<OverlordRequests[M]["result"]> {
    return (await this.send(method, params, options)) as OverlordRequests[M]["result"];
  }

  on<N extends keyof OverlordNotifications>(
    name: N,
    listener: (params: OverlordNotifications[N]) => void,
  ): Subscription {
    const listeners = this.listeners.get(name) ?? new Set();
    this.listeners.set(name, listeners);
    listeners.add(listener);
    return { dispose: () => void listeners.delete(listener) };
  }

  onClose(listener: () => void): Subscription {
    if (this.closed) queueMicrotask(listener);
    else this.closeListeners.add(listener);
    return { dispose: () => void this.closeListeners.delete(listener) };
  }

  dispose(): void {
    this.close();
  }

  keepAlive(wanted: boolean): void {
    const { socket } = this.opened;
    if (wanted) socket.ref();
    else socket.unref();
  }

  private close(): void {
    if (this.closed) return;
    this.closed = true;
    this.opened.socket.destroy();
    this.rpc.dispose();
    for (const listener of [...this.closeListeners]) listener();
    this.closeListeners.clear();
  }

  private async send(method: string, params: object, options: RequestOptions): Promise<unknown> {
    const { signal, timeoutMs = REQUEST_TIMEOUT_MS } = options;
    if (signal?.aborted) throw cancelled(method);
    if (this.closed) throw connectionClosed();
    const source = new CancellationTokenSource();
    return new Promise((resolve, reject) => {
      const finish = (give: () => void): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
        onClose.dispose();
        give();
      };
      // the caller gets its answer at once; what the overlord still says to this request is ignored
      const giveUp = (error: FuncError): void => {
        source.cancel();
        finish(() => {
          reject(error);
        });
      };
      const abort = (): void => {
        giveUp(cancelled(method));
      };
      const timer = setTimeout(() => {
        const message = `The overlord did not answer within ${timeoutMs / 1_000} s (${method}).`;
        giveUp(new FuncError("timed-out", message, "Its process may hang, or be overloaded."));
      }, timeoutMs);
      const onClose = this.onClose(() => {
        finish(() => {
          reject(connectionClosed(method));
        });
      });
      signal?.addEventListener("abort", abort);
      this.rpc.sendRequest<unknown>(method, params, source.token).then(
        (answer) => {
          finish(() => {
            resolve(answer);
          });
        },
        (error: unknown) => {
          finish(() => {
            reject(this.closed ? connectionClosed(method) : errorFromResponse(error));
          });
        },
      );
    });
  }
}

function cancelled(method: string): FuncError {
  return new FuncError("cancelled", `${method} was cancelled.`);
}

/** `sent`: the request that had gone out. */
function connectionClosed(sent?: string): FuncError {
  if (sent === "calls/start") {
    return new FuncError(
      "unavailable",
      "The connection to the overlord closed while the call was being started: it may have begun.",
      "Look at the list of jobs, and on the minions, before you call again.",
    );
  }
  return new FuncError(
    "unavailable",
    "The connection to the overlord has closed.",
    "Try again: a new overlord is started where none runs.",
  );
}
