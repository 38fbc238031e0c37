import { EventEmitter, LogLevel, type LogOutputChannel } from "vscode";
import {
  CancellationTokenSource,
  CloseAction,
  ErrorAction,
  LanguageClient,
  RevealOutputChannelOn,
} from "vscode-languageclient/node";
import type { OverlordConnection, RequestOptions } from "../server/client/connection";
import { openOverlordSocket, type OverlordSocket } from "../server/client/endpoint";
import { errorFromResponse } from "../server/client/responseError";
import { FuncError } from "../server/common/errors";
import type { OverlordHello } from "../server/protocol/overlord";
import type { OverlordNotifications, OverlordRequests } from "../server/protocol/requests";

declare const __VERSION__: string;

/** Longer than any request but those that say so themselves should take. */
const REQUEST_TIMEOUT_MS = 60_000;
/** Starting an overlord takes half a second; a loaded machine may need many times that. */
const CONNECT_TIMEOUT_MS = 30_000;
/** An overlord that is just ending takes a connection and drops it; its successor answers. */
const ATTEMPTS = 3;

export interface OverlordClientOptions {
  dataDirectory: string;
  /** Path of dist/overlord.js. */
  script: string;
  log: LogOutputChannel;
  signal: AbortSignal;
}

/**
 * Connects this window to the overlord, starting it where none runs. Throws FuncError "unavailable"
 * with the overlord's own last words where it cannot start, "denied" where it cannot prove itself.
 */
export async function connectOverlordClient(
  options: OverlordClientOptions,
): Promise<OverlordConnection> {
  for (let attempt = 1; ; attempt++) {
    const opened = await openOverlordSocket({
      dataDirectory: options.dataDirectory,
      kind: "extension",
      version: __VERSION__,
      launch: {
        execPath: process.execPath,
        script: options.script,
        // the extension host runs in Electron, which is a plain Node with this
        env: { ELECTRON_RUN_AS_NODE: "1" },
      },
      timeoutMs: CONNECT_TIMEOUT_MS,
      signal: options.signal,
    });
    const link = new OverlordLink(opened, options.log);
    try {
      await link.start();
      return link;
    } catch (error) {
      const dropped = link.closed && attempt < ATTEMPTS && !options.signal.aborted;
      link.dispose();
      if (!dropped) throw errorFromResponse(error);
    }
  }
}

/** LanguageClient shows errors of its own accord in some places; ours have a next step, so it only logs. */
class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

/** Takes what the library would trace, and keeps nothing of it. */
class NoTrace implements LogOutputChannel {
  readonly name = "Func Overlord";
  readonly logLevel = LogLevel.Off;
  readonly onDidChangeLogLevel = new EventEmitter<LogLevel>().event;
  readonly trace = nothing;
  readonly debug = nothing;
  readonly info = nothing;
  readonly warn = nothing;
  readonly error = nothing;
  readonly append = nothing;
  readonly appendLine = nothing;
  readonly replace = nothing;
  readonly clear = nothing;
  readonly show = nothing;
  readonly hide = nothing;
  readonly dispose = nothing;
}

function nothing(): void {
  // nothing
}

class OverlordLink implements OverlordConnection {
  hello!: OverlordHello;
  closed = false;
  private readonly client: LanguageClient;
  private readonly closeListeners = new Set<() => void>();
  private readonly onStreamEnd: Promise<never>;

  constructor(
    private readonly opened: OverlordSocket,
    log: LogOutputChannel,
  ) {
    const { socket, hello } = opened;
    this.client = new QuietClient(
      "func",
      "Func Overlord",
      // the overlord belongs to all windows: it must not end with this client
      () => Promise.resolve({ reader: socket, writer: socket, detached: true }),
      {
        documentSelector: [],
        outputChannel: log,
        // whatever a setting says: the messages may hold passphrases
        traceOutputChannel: new NoTrace(),
        revealOutputChannelOn: RevealOutputChannelOn.Never,
        initializationOptions: hello,
        initializationFailedHandler: () => false,
        errorHandler: {
          error: () => ({ action: ErrorAction.Continue, handled: true }),
          // connecting again is the session's work: it may have to start a new overlord
          closed: () => ({ action: CloseAction.DoNotRestart, handled: true }),
        },
      },
    );
    this.onStreamEnd = new Promise((_, reject) => {
      socket.once("close", () => {
        this.markClosed();
        reject(connectionClosed());
      });
    });
    // nobody may be waiting when it comes
    this.onStreamEnd.catch(() => undefined);
  }

  /** Sends initialize and checks the overlord's proof. */
  async start(): Promise<void> {
    await Promise.race([this.client.start(), this.onStreamEnd]);
    this.hello = this.opened.checkHello(this.client.initializeResult);
  }

  async request<M extends keyof OverlordRequests>(
    method: M,
    params: OverlordRequests[M]["params"],
    options: RequestOptions = {},
  ): Promise<OverlordRequests[M]["result"]> {
    const { signal, timeoutMs = REQUEST_TIMEOUT_MS } = options;
    if (this.closed) throw connectionClosed();
    const source = new CancellationTokenSource();
    let giveUp: (error: FuncError) => void = () => undefined;
    const givenUp = new Promise<never>((_, reject) => (giveUp = reject));
    const stop = (error: FuncError): void => {
      source.cancel();
      giveUp(error);
    };
    const abort = (): void => {
      stop(new FuncError("cancelled", `${method} was cancelled.`));
    };
    const timer = setTimeout(() => {
      stop(new FuncError("timed-out", `The overlord did not answer ${method} in ${timeoutMs} ms.`));
    }, timeoutMs);
    signal?.addEventListener("abort", abort);
    if (signal?.aborted) abort();
    try {
      const answer = this.client.sendRequest<OverlordRequests[M]["result"]>(
        method,
        params,
        source.token,
      );
      return await Promise.race([answer, givenUp, this.onStreamEnd]);
    } catch (error) {
      throw this.hasClosed() ? connectionClosed() : errorFromResponse(error);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      source.dispose();
    }
  }

  on<N extends keyof OverlordNotifications>(
    name: N,
    listener: (params: OverlordNotifications[N]) => void,
  ): { dispose(): void } {
    return this.client.onNotification(name, listener);
  }

  onClose(listener: () => void): { dispose(): void } {
    if (this.closed) queueMicrotask(listener);
    else this.closeListeners.add(listener);
    return { dispose: () => void this.closeListeners.delete(listener) };
  }

  dispose(): void {
    this.markClosed();
    // a polite shutdown of this connection; the socket goes in any case
    const stopped = this.client.isRunning() ? this.client.dispose(500) : Promise.resolve();
    void stopped.catch(() => undefined).finally(() => this.opened.socket.destroy());
  }

  private hasClosed(): boolean {
    return this.closed;
  }

  private markClosed(): void {
    if (this.closed) return;
    this.closed = true;
    for (const listener of [...this.closeListeners]) listener();
    this.closeListeners.clear();
  }
}

function connectionClosed(): FuncError {
  return new FuncError(
    "unavailable",
    "The connection to the Func overlord has closed.",
    "Try again: a new overlord is started where none runs.",
  );
}
