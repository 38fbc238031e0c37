import type { X509Certificate } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Server, TLSSocket } from "node:tls";
import { createServer as createTlsServer } from "node:tls";
import { FuncError, messageOf } from "../common/errors";
import type { Log } from "../common/log";
import { silentLog } from "../common/log";
import type { DecodeLimits } from "./decode";
import { decodeCall, DEFAULT_LIMITS } from "./decode";
import { encodeFault, encodeResponse } from "./encode";
import { refuse, refuseRequest } from "./refusal";
import { readRequestBody } from "./requestBody";
import { sendDocument, sendStatus } from "./rpcAnswer";
import { RpcFault } from "./rpcFault";
import type { XmlRpcValue } from "./value";
import { ALPN_PROTOCOLS, LEAST_TLS, NATIVE_PROTOCOL } from "./wireConnection";

const HANDSHAKE_TIMEOUT_MS = 10_000;
/** From the first moment of a connection to the end of its first request's headers. */
const HEADERS_TIMEOUT_MS = 30_000;
/** For a body of up to 256 MiB over a slow line. */
const BODY_TIMEOUT_MS = 300_000;
/** For the client to take an answer of up to 256 MiB over a slow line. */
const ANSWER_TIMEOUT_MS = 900_000;
/** After this silence TCP asks whether the client still lives: a call may run for hours. */
const PROBE_AFTER_MS = 60_000;
/** Above the client's idle limit of 60 s, so that it is the client who closes, between calls. */
const KEEP_ALIVE_MS = 120_000;
const MAX_HEADER_BYTES = 16 * 1024;
const MAX_CONNECTIONS = 1_000;
/** Where anybody may connect (enrolment), requests are small. */
const ANONYMOUS_MAX_BYTES = 64 * 1024;
const CALL_ID = /^[\x21-\x7e]{1,512}$/;

/** Who is at the other end of a connection. */
export interface RpcConnection {
  /** The client's certificate, verified against the CA; undefined only with `clientCertificate: "none"`. */
  certificate?: X509Certificate;
  remoteAddress: string;
  /** True where the client negotiated func/1: one of our own. */
  native: boolean;
}

export interface RpcRequest {
  method: string;
  params: XmlRpcValue[];
  connection: RpcConnection;
  /** The overlord's id of this attempt (`Func-Call`), from native clients only. */
  callId?: string;
  /** Aborted where the connection closes before the answer has been sent. */
  signal: AbortSignal;
}

export interface RpcServerOptions {
  /** PEM, all three; or none until `setCredentials`. */
  key?: string;
  certificate?: string;
  ca?: string;
  clientCertificate: "required" | "none";
  /**
   * Throws (a FuncError's message is the reason) to refuse a client whose certificate TLS has accepted.
   * Asked before a byte is read, and again before every later request of the connection.
   */
  admitConnection?: (connection: RpcConnection) => void;
  /** Told of every client that was turned away, for the audit. */
  onRefused?: (reason: string, remoteAddress: string, certificate?: X509Certificate) => void;
  /** Does the call. An RpcFault becomes that fault, anything else thrown becomes fault 1 with its message. */
  handle: (request: RpcRequest) => Promise<XmlRpcValue>;
  /** `maxBytes` is 64 KiB by default where no client certificate is asked for. */
  limits?: Partial<DecodeLimits>;
  maxConnections?: number;
  log?: Log;
}

/** What one connection is doing. */
interface ConnectionState {
  connection: RpcConnection;
  busy: boolean;
  /** Ends the connection where its next request takes too long to come in. */
  deadline?: NodeJS.Timeout;
}

/** An XML-RPC server on TLS, for the original's clients and our own. */
export class RpcServer {
  readonly #options: RpcServerOptions;
  readonly #limits: DecodeLimits;
  readonly #log: Log;
  readonly #tls: Server;
  readonly #http;
  /** All sockets, those in the handshake included. */
  readonly #sockets = new Set<Socket>();
  readonly #states = new WeakMap<Socket, ConnectionState>();

  constructor(options: RpcServerOptions) {
    this.#options = options;
    const anonymous = options.clientCertificate === "none";
    this.#limits = {
      ...DEFAULT_LIMITS,
      ...(anonymous ? { maxBytes: ANONYMOUS_MAX_BYTES } : {}),
      ...options.limits,
    };
    this.#log = options.log ?? silentLog;
    this.#tls = createTlsServer({
      ALPNProtocols: ALPN_PROTOCOLS,
      minVersion: LEAST_TLS,
      requestCert: !anonymous,
      // refused by us instead, after the handshake: only so can the reason be recorded
      rejectUnauthorized: false,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    });
    this.#tls.maxConnections = options.maxConnections ?? MAX_CONNECTIONS;
    this.#tls.on("connection", (socket: Socket) => {
      this.#track(socket);
    });
    this.#tls.on("tlsClientError", (error, socket) => {
      this.#refused(`TLS handshake failed: ${messageOf(error)}`, socket.remoteAddress ?? "?");
      socket.destroy();
    });
    this.#tls.on("secureConnection", (socket) => {
      this.#accept(socket);
    });
    // deadlines are kept here, per connection: Node's own run only in servers that listen themselves
    this.#http = createHttpServer({
      maxHeaderSize: MAX_HEADER_BYTES,
      keepAliveTimeout: KEEP_ALIVE_MS,
      requestTimeout: 0,
      headersTimeout: 0,
    });
    this.#http.on("request", (request, response) => {
      void this.#answer(request, response);
    });
    this.#http.on("clientError", (_error, socket) => {
      socket.destroy();
    });
    const { key, certificate, ca } = options;
    if (key !== undefined && certificate !== undefined && ca !== undefined) {
      this.setCredentials({ key, certificate, ca });
    }
  }

  /** Starts to listen (port 0: any free one) and resolves with the port. Throws FuncError "unavailable". */
  listen(port: number, host: string): Promise<{ port: number }> {
    return new Promise((resolve, reject) => {
      const onError = (error: Error): void => {
        reject(
          new FuncError(
            "unavailable",
            `Cannot listen on ${host}:${port}: ${messageOf(error)}.`,
            "Choose another port or address, or end the program that uses it.",
            { cause: error },
          ),
        );
      };
      this.#tls.once("error", onError);
      this.#tls.listen(port, host, () => {
        this.#tls.off("error", onError);
        this.#tls.on("error", (error) => {
          this.#log.error("the listening socket failed", { error: messageOf(error) });
        });
        resolve({ port: (this.#tls.address() as AddressInfo).port });
      });
    });
  }

  /**
   * Uses these from the next handshake on (PEM); sessions of before are not resumed. Throws FuncError
   * "bad-argument" where they do not fit together.
   */
  setCredentials(credentials: { key: string; certificate: string; ca: string }): void {
    const { key, certificate, ca } = credentials;
    try {
      this.#tls.setSecureContext({ key, cert: certificate, ca, minVersion: LEAST_TLS });
    } catch (error) {
      throw new FuncError(
        "bad-argument",
        `The server's key and certificate cannot be used: ${messageOf(error)}`,
        undefined,
        { cause: error },
      );
    }
  }

  /** Stops listening and ends every connection at once. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#tls.close(() => {
        resolve();
      });
      for (const socket of this.#sockets) socket.destroy();
    });
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once("close", () => {
      this.#sockets.delete(socket);
    });
  }

  #refused(reason: string, remoteAddress: string, certificate?: X509Certificate): void {
    this.#log.info("connection refused", { reason, remoteAddress });
    this.#options.onRefused?.(reason, remoteAddress, certificate);
  }

  /** Right after the handshake, resumed or not, before a byte is read. */
  #accept(socket: TLSSocket): void {
    this.#track(socket);
    socket.setKeepAlive(true, PROBE_AFTER_MS);
    socket.setNoDelay(true);
    socket.disableRenegotiation(); // the client's certificate stays the one that is checked here
    const native = socket.alpnProtocol === NATIVE_PROTOCOL;
    const remoteAddress = socket.remoteAddress ?? "?";
    const certificate = socket.getPeerX509Certificate();
    const connection: RpcConnection = { certificate, remoteAddress, native };
    const reason = this.#tlsVerdict(socket, certificate) ?? this.#verdict(connection);
    if (reason !== undefined) {
      this.#refused(reason, remoteAddress, certificate);
      refuse(socket, native, reason);
      return;
    }
    const state: ConnectionState = { connection, busy: false };
    this.#states.set(socket, state);
    expect(socket, state, HEADERS_TIMEOUT_MS);
    socket.once("close", () => {
      clearTimeout(state.deadline);
    });
    this.#http.emit("connection", socket);
  }

  #tlsVerdict(socket: TLSSocket, certificate: X509Certificate | undefined): string | undefined {
    if (this.#options.clientCertificate === "none") return undefined;
    if (!certificate) return "no client certificate";
    if (socket.authorized) return undefined;
    const error: unknown = socket.authorizationError;
    return `client certificate not accepted: ${messageOf(error)}`;
  }

  /** Why the connection may not (or no longer) be used; undefined where it may. */
  #verdict(connection: RpcConnection): string | undefined {
    const { certificate } = connection;
    // OpenSSL looks at dates in full handshakes only
    if (certificate && Date.parse(certificate.validTo) <= Date.now()) {
      return "client certificate not accepted: CERT_HAS_EXPIRED";
    }
    try {
      this.#options.admitConnection?.(connection);
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    const state = this.#states.get(socket);
    if (!state || state.busy) {
      socket.destroy(); // requests are not answered side by side on one connection
      return;
    }
    state.busy = true;
    response.once("close", () => {
      state.busy = false;
      expect(socket, state, KEEP_ALIVE_MS + HEADERS_TIMEOUT_MS);
    });
    response.on("error", () => socket.destroy());
    expect(socket, state, BODY_TIMEOUT_MS);
    try {
      await this.#serve(request, response, state);
    } catch (error) {
      this.#log.warn("a request could not be answered", { error: messageOf(error) });
      socket.destroy();
    }
  }

  async #serve(
    request: IncomingMessage,
    response: ServerResponse,
    state: ConnectionState,
  ): Promise<void> {
    const { connection } = state;
    const reason = this.#verdict(connection);
    if (reason !== undefined) {
      this.#refused(reason, connection.remoteAddress, connection.certificate);
      refuseRequest(response, connection.native, reason);
      return;
    }
    const status = wrongRequest(request);
    if (status !== undefined) {
      sendStatus(response, status);
      return;
    }
    let body: Buffer;
    try {
      body = await readRequestBody(request, this.#limits.maxBytes);
    } catch (error) {
      const tooLarge = error instanceof FuncError && error.reason === "too-large";
      if (!response.destroyed) sendStatus(response, tooLarge ? 413 : 400);
      return;
    }
    clearTimeout(state.deadline);
    const document = await this.#call(request, response, connection, body);
    if (response.destroyed) return;
    expect(request.socket, state, ANSWER_TIMEOUT_MS);
    await sendDocument(response, document, connection.native);
  }

  async #call(
    request: IncomingMessage,
    response: ServerResponse,
    connection: RpcConnection,
    body: Buffer,
  ): Promise<Buffer> {
    const gone = new AbortController();
    const onClose = (): void => {
      if (!response.writableFinished) gone.abort();
    };
    response.once("close", onClose);
    if (response.destroyed) gone.abort();
    const header = request.headers["func-call"];
    const callId = connection.native && typeof header === "string" ? header : undefined;
    try {
      if (callId !== undefined && !CALL_ID.test(callId))
        throw new RpcFault(1, "Malformed Func-Call.");
      const call = decodeCall(body, this.#limits);
      const value = await this.#options.handle({
        ...call,
        connection,
        callId,
        signal: gone.signal,
      });
      return encodeResponse(value);
    } catch (error) {
      return faultDocument(error);
    }
  }
}

/** (Re)starts the time that the peer has for what is to come next. */
function expect(socket: Socket, state: ConnectionState, withinMs: number): void {
  clearTimeout(state.deadline);
  if (socket.destroyed) return;
  state.deadline = setTimeout(() => socket.destroy(), withinMs).unref();
}

/** The status for what is no XML-RPC request, as the original answers (FUNC-SPEC 1.1). */
function wrongRequest(request: IncomingMessage): number | undefined {
  if (request.method !== "POST") return 501;
  return request.url === "/" || request.url === "/RPC2" ? undefined : 404;
}

function faultDocument(error: unknown): Buffer {
  if (error instanceof RpcFault) return encodeFault(error.code, error.faultString);
  if (error instanceof FuncError && error.reason === "bad-data") {
    return encodeFault(1, `xml.parsers.expat.ExpatError: ${error.message}`);
  }
  return encodeFault(1, messageOf(error));
}
