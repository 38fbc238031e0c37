import type { X509Certificate } from "node:crypto";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Server, TLSSocket } from "node:tls";
import { createServer as createTlsServer } from "node:tls";
import { FuncError, messageOf } from "../common/errors";
import type { Log } from "../common/log";
import { silentLog } from "../common/log";
import { BodyBudget } from "./bodyBudget";
import type { ReceiveDeadlines } from "./bodyPace";
import { DEFAULT_DEADLINES } from "./bodyPace";
import { ConnectionTable } from "./connectionTable";
import type { DecodeLimits } from "./decode";
import { DEFAULT_LIMITS } from "./decode";
import { refuse } from "./refusal";
import { RefusalMeter } from "./refusalMeter";
import { KEEP_ALIVE_MS, RequestServer } from "./requestServer";
import type { RpcConnection, RpcRequest } from "./rpcRequest";
import type { XmlRpcValue } from "./value";
import { ALPN_PROTOCOLS, LEAST_TLS, NATIVE_PROTOCOL } from "./wireConnection";

export type { RpcConnection, RpcRequest } from "./rpcRequest";

const HANDSHAKE_TIMEOUT_MS = 10_000;
/** After this silence TCP asks whether the client still lives: a call may run for hours. */
const PROBE_AFTER_MS = 60_000;
const MAX_HEADER_BYTES = 16 * 1024;
const MAX_CONNECTIONS = 1_000;
/** Handshakes take a moment: this many at the same time are a flood. */
const MAX_UNPROVEN = 256;
/** Request bodies that are being received at the same time. */
const RECEIVED_BYTES = 256 * 1024 * 1024;
/** Where anybody may connect (enrolment), requests are small. */
const ANONYMOUS_MAX_BYTES = 64 * 1024;

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
  /** Of clients with an acceptable certificate, or of all where none is asked for. */
  maxConnections?: number;
  deadlines?: Partial<ReceiveDeadlines>;
  log?: Log;
}

/** An XML-RPC server on TLS, for the original's clients and our own. */
export class RpcServer {
  readonly #options: RpcServerOptions;
  readonly #log: Log;
  readonly #tls: Server;
  readonly #http;
  readonly #requests: RequestServer;
  readonly #connections: ConnectionTable;
  /** Those that were accepted. */
  readonly #accepted = new Map<TLSSocket, RpcConnection>();
  /** TCP connections in the handshake, by the client's address and port. */
  readonly #handshakes = new Map<string, Socket>();
  readonly #refusals: RefusalMeter<[string, string, X509Certificate?]>;

  constructor(options: RpcServerOptions) {
    this.#options = options;
    const anonymous = options.clientCertificate === "none";
    const log = options.log ?? silentLog;
    this.#log = log;
    const maxProven = options.maxConnections ?? MAX_CONNECTIONS;
    const maxUnproven = anonymous ? maxProven : MAX_UNPROVEN;
    this.#connections = new ConnectionTable({ maxUnproven, maxProven });
    this.#refusals = new RefusalMeter(
      (reason, remoteAddress, certificate) => {
        log.info("connection refused", { reason, remoteAddress });
        options.onRefused?.(reason, remoteAddress, certificate);
      },
      (count) => {
        log.warn("more connections were refused", { count });
        options.onRefused?.(`${count} more connections within a minute`, "several");
      },
    );
    this.#requests = new RequestServer({
      handle: options.handle,
      refusalOf: (connection) => this.#verdict(connection),
      onRefused: (...refusal) => {
        this.#refused(...refusal);
      },
      rules: {
        limits: {
          ...DEFAULT_LIMITS,
          ...(anonymous ? { maxBytes: ANONYMOUS_MAX_BYTES } : {}),
          ...options.limits,
        },
        deadlines: { ...DEFAULT_DEADLINES, ...options.deadlines },
        budget: new BodyBudget(RECEIVED_BYTES),
      },
      log,
    });
    this.#tls = createTlsServer({
      ALPNProtocols: ALPN_PROTOCOLS,
      minVersion: LEAST_TLS,
      requestCert: !anonymous,
      // refused by us instead, after the handshake: only so can the reason be recorded
      rejectUnauthorized: false,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    });
    this.#tls.on("connection", (socket: Socket) => {
      this.#arrive(socket);
    });
    this.#tls.on("tlsClientError", (error, socket) => {
      this.#refused(`TLS handshake failed: ${messageOf(error)}`, socket.remoteAddress ?? "?");
      socket.destroy();
    });
    this.#tls.on("secureConnection", (socket) => {
      try {
        this.#accept(socket);
      } catch (error) {
        // whatever a stranger's certificate may hold: the server goes on
        log.error("a connection could not be judged", { error: messageOf(error) });
        socket.destroy();
      }
    });
    // deadlines are kept here, per connection: Node's own run only in servers that listen themselves
    this.#http = createHttpServer({
      maxHeaderSize: MAX_HEADER_BYTES,
      keepAliveTimeout: KEEP_ALIVE_MS,
      requestTimeout: 0,
      headersTimeout: 0,
    });
    this.#http.on("request", (request, response) => {
      void this.#requests.answer(request, response);
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

  /**
   * Judges every connection anew by `check`, and ends those that may not be used any more, whatever they are doing:
   * what they called may run on, but its answer does not get out.
   */
  recheck(check = this.#options.admitConnection): void {
    for (const [socket, connection] of this.#accepted) {
      const reason = this.#verdict(connection, check);
      if (reason === undefined) continue;
      this.#refused(reason, connection.remoteAddress, connection.certificate);
      socket.destroy();
    }
  }

  /** Stops listening and ends every connection at once. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#tls.close(() => {
        resolve();
      });
      this.#connections.destroyAll();
    });
  }

  /** Before the handshake. */
  #arrive(socket: Socket): void {
    const key = addressOf(socket);
    this.#handshakes.set(key, socket);
    socket.once("close", () => {
      if (this.#handshakes.get(key) === socket) this.#handshakes.delete(key);
    });
    if (this.#connections.add(socket) > 0) {
      this.#refused("too many connections at the same time", socket.remoteAddress ?? "?");
    }
  }

  #refused(reason: string, remoteAddress: string, certificate?: X509Certificate): void {
    this.#refusals.add(reason, reason, remoteAddress, certificate);
  }

  /** Right after the handshake, resumed or not, before a byte is read. */
  #accept(socket: TLSSocket): void {
    const raw = this.#handshakes.get(addressOf(socket));
    if (!raw) {
      socket.destroy(); // gone already
      return;
    }
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
    if (this.#options.clientCertificate === "required" && this.#connections.prove(raw) > 0) {
      this.#refused("too many connections at the same time", remoteAddress, certificate);
    }
    if (socket.destroyed) return;
    this.#accepted.set(socket, connection);
    socket.once("close", () => this.#accepted.delete(socket));
    this.#requests.expect(socket, connection, (activity) => {
      this.#connections.set(raw, activity);
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
  #verdict(connection: RpcConnection, check = this.#options.admitConnection): string | undefined {
    const { certificate } = connection;
    // OpenSSL looks at dates in full handshakes only
    if (certificate && Date.parse(certificate.validTo) <= Date.now()) {
      return "client certificate not accepted: CERT_HAS_EXPIRED";
    }
    try {
      check?.(connection);
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }
}

/** Alike for a TCP connection and the TLS connection on it. */
function addressOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress ?? "?"} ${remotePort ?? "?"}`;
}
