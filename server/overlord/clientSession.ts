import { setMaxListeners } from "node:events";
import type { Socket } from "node:net";
import {
  createMessageConnection,
  NullLogger,
  ResponseError,
  StreamMessageReader,
  type CancellationToken,
  type MessageConnection,
} from "vscode-jsonrpc/node";
import { FuncError, messageOf } from "../common/errors";
import type { Log } from "../common/log";
import { Turns } from "../jobs/engine/turns";
import type { ClientHello } from "../protocol/overlord";
import type { ErrorData } from "../protocol/requests";
import { ClientFeed } from "./clientFeed";
import { FrameBounds } from "./frameBounds";
import { Outbox } from "./outbox";
import type { OverlordService } from "./service";

/** How long a connection may stay without showing who it is. */
const HELLO_TIMEOUT_MS = 5_000;
/** A hello is small; more than this before it is none. */
const HELLO_MAX_BYTES = 65_536;
/** Requests that wait because their client does not read the answers. */
const MAX_HELD_REQUESTS = 1_000;
/** Requests with large answers that one client has under way at the same time. */
const LARGE_AT_ONCE = 4;

const METHOD_NOT_FOUND = -32_601;
const NOT_INITIALIZED = -32_002;
const FAILED = -32_000;
const CANCELLED = -32_800;

/** What sessions share. */
export interface SessionContext {
  service: OverlordService;
  /** Checks `initialize` and makes its answer. Throws FuncError. */
  welcome(params: unknown): { hello: ClientHello; answer: object };
  log: Log;
}

/** One client's connection, from the first byte to the last. */
export class ClientSession {
  readonly feed: ClientFeed;
  private readonly outbox: Outbox;
  private readonly rpc: MessageConnection;
  private readonly ended = new AbortController();
  private readonly large = new Turns(LARGE_AT_ONCE);
  private hello: ClientHello | "refused" | undefined;
  private readonly helloTimer: NodeJS.Timeout;

  constructor(
    private readonly socket: Socket,
    private readonly context: SessionContext,
    private readonly onEnd: () => void,
  ) {
    this.outbox = new Outbox(socket);
    setMaxListeners(0, this.ended.signal); // each request under way listens to it
    this.rpc = createMessageConnection(new StreamMessageReader(socket), this.outbox, NullLogger);
    this.feed = new ClientFeed(this.outbox, (name, params) =>
      this.rpc.sendNotification(name, params),
    );
    this.helloTimer = setTimeout(() => {
      this.end();
    }, HELLO_TIMEOUT_MS);
    this.rpc.onRequest((method, params, token) => this.answer(method, params, token));
    // what else the Language Server Protocol's clients notify of by themselves means nothing here
    this.rpc.onNotification((method) => {
      if (method === "exit") this.end();
    });
    this.rpc.onError(() => {
      this.end();
    });
    const bounds = new FrameBounds();
    socket.on("data", (piece: Buffer) => {
      const tooLarge = !this.isWelcome && socket.bytesRead > HELLO_MAX_BYTES;
      if (tooLarge || !bounds.accept(piece)) this.end();
    });
    socket.on("error", () => undefined);
    socket.once("close", () => {
      this.end();
    });
    this.rpc.listen();
  }

  /** True once the client has shown who it is. */
  get isWelcome(): boolean {
    return typeof this.hello === "object";
  }

  end(): void {
    if (this.ended.signal.aborted) return;
    this.ended.abort(new FuncError("cancelled", "The client has gone."));
    clearTimeout(this.helloTimer);
    this.feed.dispose();
    this.outbox.release();
    this.rpc.dispose();
    this.socket.destroy();
    this.onEnd();
  }

  private async answer(
    method: string,
    params: unknown,
    token: CancellationToken,
  ): Promise<unknown> {
    try {
      if (method === "initialize") return this.initialize(params);
      if (!this.isWelcome) {
        const message = "The connection has not been initialized.";
        return new ResponseError<ErrorData>(NOT_INITIALIZED, message, { reason: "denied" });
      }
      if (method === "shutdown") return null;
      if (!this.context.service.has(method)) {
        const message = `The overlord has no request "${method.slice(0, 100)}".`;
        return new ResponseError<ErrorData>(METHOD_NOT_FOUND, message, { reason: "bad-argument" });
      }
      if (this.outbox.held + this.large.waiting >= MAX_HELD_REQUESTS) this.end();
      if (!this.context.service.answersLarge(method)) return await this.run(method, params, token);
      return await this.large.take(this.ended.signal, () => this.run(method, params, token));
    } catch (error) {
      return this.failure(method, error);
    }
  }

  private initialize(params: unknown): object {
    if (this.hello !== undefined) {
      throw new FuncError("conflict", "The connection was initialized before.");
    }
    this.hello = "refused";
    const { hello, answer } = this.context.welcome(params);
    this.hello = hello;
    clearTimeout(this.helloTimer);
    return answer;
  }

  /** The work ends with its request, or with its connection. */
  private async run(method: string, params: unknown, token: CancellationToken): Promise<unknown> {
    await this.outbox.room();
    this.ended.signal.throwIfAborted();
    const controller = new AbortController();
    const abort = (): void => {
      controller.abort();
    };
    if (token.isCancellationRequested) abort();
    const onCancel = token.onCancellationRequested(abort);
    this.ended.signal.addEventListener("abort", abort);
    try {
      const client = typeof this.hello === "object" ? this.hello : undefined;
      const { service } = this.context;
      return await service.run(method, params, this.feed, controller.signal, client);
    } finally {
      onCancel.dispose();
      this.ended.signal.removeEventListener("abort", abort);
    }
  }

  private failure(method: string, error: unknown): ResponseError<ErrorData> {
    if (error instanceof FuncError) {
      const code = error.reason === "cancelled" ? CANCELLED : FAILED;
      const { reason, nextStep } = error;
      return new ResponseError<ErrorData>(code, error.message, { reason, nextStep });
    }
    this.context.log.error("a request failed for an unexpected reason", {
      method,
      problem: messageOf(error),
    });
    return new ResponseError<ErrorData>(FAILED, messageOf(error), {
      reason: "internal",
      nextStep: "The overlord's log tells more.",
    });
  }
}
