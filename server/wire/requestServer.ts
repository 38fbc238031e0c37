import type { X509Certificate } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { FuncError, messageOf } from "../common/errors";
import type { Log } from "../common/log";
import type { Activity } from "./connectionTable";
import { decodeCall } from "./decode";
import { encodeFault } from "./encode";
import { HttpRefusal } from "./httpRefusal";
import type { OutgoingDocument } from "./outgoingDocument";
import { refuseRequest } from "./refusal";
import type { BodyRules, ReceivedBody } from "./requestBody";
import { receiveBody } from "./requestBody";
import { answerDocument, sendDocument, sendStatus } from "./rpcAnswer";
import { RpcFault } from "./rpcFault";
import type { RpcConnection, RpcRequest } from "./rpcRequest";
import type { XmlRpcValue } from "./value";

/** For the client to take an answer of up to 256 MiB over a slow line. */
const ANSWER_TIMEOUT_MS = 900_000;
/** Above the client's idle limit of 60 s, so that it is the client who closes, between calls. */
export const KEEP_ALIVE_MS = 120_000;
const CALL_ID = /^[\x21-\x7e]{1,512}$/;

export interface RequestServerOptions {
  /** Does the call. An RpcFault becomes that fault, anything else thrown becomes fault 1 with its message. */
  handle: (request: RpcRequest) => Promise<XmlRpcValue>;
  /** Why a connection may no longer be used; undefined where it may. */
  refusalOf: (connection: RpcConnection) => string | undefined;
  onRefused: (reason: string, remoteAddress: string, certificate?: X509Certificate) => void;
  rules: BodyRules;
  log: Log;
}

/** What one connection is doing. */
interface ConnectionState {
  connection: RpcConnection;
  /** To the latest request, until it has gone out whole. */
  response?: ServerResponse;
  onActivity: (activity: Activity) => void;
  /** Ends the connection where what it is to do next takes too long. */
  deadline?: NodeJS.Timeout;
}

/** Answers the requests of connections whose peers were accepted. */
export class RequestServer {
  readonly #states = new WeakMap<Socket, ConnectionState>();

  constructor(private readonly options: RequestServerOptions) {}

  /** A connection may send requests from now on. */
  expect(
    socket: Socket,
    connection: RpcConnection,
    onActivity: (activity: Activity) => void,
  ): void {
    const state: ConnectionState = { connection, onActivity };
    this.#states.set(socket, state);
    expectWithin(socket, state, this.options.rules.deadlines.headersMs);
    socket.once("close", () => {
      clearTimeout(state.deadline);
    });
  }

  /** Answers one request. Never rejects. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    const state = this.#states.get(socket);
    const earlier = state?.response;
    if (!state || earlier?.writableEnded === false) {
      socket.destroy(); // requests are not answered side by side on one connection
      return;
    }
    state.response = response;
    response.on("error", () => socket.destroy());
    // a client may have the whole answer before Node tells that it has gone out
    if (earlier) await closed(earlier);
    if (socket.destroyed) return;
    clearTimeout(state.deadline); // the body has its own
    state.onActivity("receiving");
    response.once("close", () => {
      if (state.response === response) state.response = undefined;
      state.onActivity("idle");
      expectWithin(socket, state, KEEP_ALIVE_MS + this.options.rules.deadlines.headersMs);
    });
    try {
      await this.#serve(request, response, state);
    } catch (error) {
      this.options.log.warn("a request could not be answered", { error: messageOf(error) });
      socket.destroy();
    }
  }

  async #serve(
    request: IncomingMessage,
    response: ServerResponse,
    state: ConnectionState,
  ): Promise<void> {
    const { connection } = state;
    const reason = this.options.refusalOf(connection);
    if (reason !== undefined) {
      this.options.onRefused(reason, connection.remoteAddress, connection.certificate);
      refuseRequest(response, connection.native, reason);
      return;
    }
    const status = wrongRequest(request);
    if (status !== undefined) {
      sendStatus(response, status);
      return;
    }
    const gone = new AbortController();
    response.once("close", () => {
      if (!response.writableFinished) gone.abort();
    });
    let document: OutgoingDocument;
    let isLast = false;
    try {
      const body = await receiveBody(request, this.options.rules, gone.signal);
      state.onActivity("busy");
      document = await this.#call(request, connection, body, gone.signal);
    } catch (error) {
      if (response.destroyed) return;
      if (error instanceof HttpRefusal) {
        sendStatus(response, error.status);
        return;
      }
      document = faultDocument(error);
      isLast = isBadDocument(error);
    }
    if (response.destroyed) return;
    expectWithin(request.socket, state, ANSWER_TIMEOUT_MS);
    await sendDocument(response, document, connection.native, isLast);
  }

  async #call(
    request: IncomingMessage,
    connection: RpcConnection,
    body: ReceivedBody,
    signal: AbortSignal,
  ): Promise<OutgoingDocument> {
    const header = request.headers["func-call"];
    const callId = connection.native && typeof header === "string" ? header : undefined;
    let call: Pick<RpcRequest, "method" | "params">;
    try {
      if (callId !== undefined && !CALL_ID.test(callId)) {
        throw new RpcFault(1, "Malformed Func-Call.");
      }
      call = decodeCall(body.bytes, this.options.rules.limits);
    } finally {
      body.bytes = Buffer.alloc(0); // the call may run for hours
      body.release();
    }
    const value = await this.options.handle({ ...call, connection, callId, signal });
    return answerDocument(call.method, value);
  }
}

function closed(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    if (response.closed) resolve();
    else response.once("close", resolve);
  });
}

/** (Re)starts the time that the peer has for what is to come next. */
function expectWithin(socket: Socket, state: ConnectionState, withinMs: number): void {
  clearTimeout(state.deadline);
  if (socket.destroyed) return;
  state.deadline = setTimeout(() => socket.destroy(), withinMs).unref();
}

/** The status for what is no XML-RPC request, as the original answers (FUNC-SPEC 1.1). */
function wrongRequest(request: IncomingMessage): number | undefined {
  if (request.method !== "POST") return 501;
  return request.url === "/" || request.url === "/RPC2" ? undefined : 404;
}

/** The document itself is at fault: its peer is broken or hostile. */
function isBadDocument(error: unknown): boolean {
  return (
    error instanceof FuncError && (error.reason === "bad-data" || error.reason === "too-large")
  );
}

function faultDocument(error: unknown): Buffer {
  if (error instanceof RpcFault) return encodeFault(error.code, error.faultString);
  if (error instanceof FuncError && error.reason === "bad-data") {
    return encodeFault(1, `xml.parsers.expat.ExpatError: ${error.message}`);
  }
  return encodeFault(1, messageOf(error));
}
