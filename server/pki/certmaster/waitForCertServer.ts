import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { messageOf } from "../../common/errors";
import { formatHostPort, type HostPort } from "../../common/hostPort";
import type { Log } from "../../common/log";
import type { EnrolmentModes } from "../../protocol/certmaster";
import type { RpcRequest } from "../../wire/rpcServer";
import type { XmlRpcValue } from "../../wire/value";
import type { CertmasterRequests } from "./certmasterRequests";
import { plainAddress } from "./sourceAddress";

/** A request is one certificate request and a few words. */
const LIMITS = { maxBytes: 64 * 1024, maxDepth: 8, maxElements: 64 };
const MAX_CONNECTIONS = 64;
const MAX_HEADER_BYTES = 16 * 1024;
const RECEIVED_BYTES = 16 * 1024 * 1024;

const GIVES_UP =
  "Plain HTTP: anybody can ask in any name, and anybody between can answer with another CA; " +
  "compare the key's fingerprint on the host itself before you approve.";

/** The original's certmaster on plain HTTP, for old minions. What comes here waits like everything else. */
export class WaitForCertServer {
  private server: Server | undefined;
  private at: HostPort;
  private problem: string | undefined = "it is not open";
  private closeConnections: () => void = () => undefined;

  constructor(
    private readonly options: { listen: HostPort; log: Log; requests: CertmasterRequests },
  ) {
    this.at = options.listen;
  }

  /** For `EnrolmentModes`. */
  state(): NonNullable<EnrolmentModes["originalHttp"]> {
    const at = formatHostPort(this.at);
    return { at, givesUp: GIVES_UP, ...(this.problem !== undefined && { problem: this.problem }) };
  }

  isOpen(): boolean {
    return this.problem === undefined;
  }

  /** Never fails: `state` tells the problem, and the log. */
  async open(): Promise<void> {
    const { listen, log } = this.options;
    try {
      const server = await this.start();
      this.server = server;
      this.at = { host: listen.host, port: (server.address() as AddressInfo).port };
      this.problem = undefined;
      log.warn("certmaster: answers the original's plain HTTP", {
        at: formatHostPort(this.at),
        note: GIVES_UP,
      });
    } catch (error) {
      this.problem = messageOf(error);
      log.error("certmaster: cannot answer the original's plain HTTP", {
        at: formatHostPort(listen),
        problem: this.problem,
      });
    }
  }

  async close(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    this.problem = "it is closed";
    if (server === undefined) return;
    const ended = new Promise<void>((resolve) => server.close(() => resolve()));
    this.closeConnections();
    await ended;
  }

  private async start(): Promise<Server> {
    const { listen, log, requests } = this.options;
    // an overlord needs no server of its own until a host is to join it
    const { RequestServer } = await import("../../wire/requestServer");
    const { ConnectionTable } = await import("../../wire/connectionTable");
    const { BodyBudget } = await import("../../wire/bodyBudget");
    const { DEFAULT_LIMITS } = await import("../../wire/decode");
    const { DEFAULT_DEADLINES } = await import("../../wire/bodyPace");
    const table = new ConnectionTable({ maxUnproven: MAX_CONNECTIONS, maxProven: 0 });
    const answering = new RequestServer({
      handle: (request) => this.handle(request),
      refusalOf: () => undefined,
      onRefused: (reason, from) => {
        requests.refused({ from: plainAddress(from), reason });
      },
      rules: {
        limits: { ...DEFAULT_LIMITS, ...LIMITS },
        deadlines: DEFAULT_DEADLINES,
        budget: new BodyBudget(RECEIVED_BYTES),
      },
      log,
    });
    const server = createServer({
      maxHeaderSize: MAX_HEADER_BYTES,
      requestTimeout: 0, // deadlines are the RequestServer's
      headersTimeout: 0,
    });
    server.on("connection", (socket: Socket) => {
      socket.on("error", () => undefined);
      table.add(socket);
      if (socket.destroyed) return;
      const connection = { remoteAddress: socket.remoteAddress ?? "?", native: false };
      answering.expect(socket, connection, (activity) => {
        table.set(socket, activity);
      });
    });
    server.on("request", (request, response) => {
      void answering.answer(request, response);
    });
    server.on("clientError", (_error, socket) => {
      socket.destroy();
    });
    this.closeConnections = () => {
      table.destroyAll();
    };
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(listen.port, listen.host, () => {
        server.off("error", reject);
        server.on("error", (error) => {
          log.error("certmaster: the plain HTTP socket failed", { problem: messageOf(error) });
        });
        resolve();
      });
    });
    return server;
  }

  private async handle({ method, params, connection }: RpcRequest): Promise<XmlRpcValue> {
    return await this.options.requests.handleOriginal(
      plainAddress(connection.remoteAddress),
      method,
      params,
    );
  }
}
