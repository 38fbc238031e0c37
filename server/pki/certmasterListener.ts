import { hostname } from "node:os";
import { FuncError, messageOf } from "../common/errors";
import type { Log } from "../common/log";
import { isMinionName } from "../common/minionName";
import type { RpcRequest, RpcServer } from "../wire/rpcServer";
import type { XmlRpcValue } from "../wire/value";
import type { CertificateAuthority } from "./certificateAuthority";
import { formatHostPort, type HostPort } from "./hostPort";
import { generateKey } from "./keyFiles";

/** A request is one certificate request and a few words. */
const LIMITS = { maxBytes: 64 * 1024, maxDepth: 8, maxElements: 64 };
const MAX_CONNECTIONS = 64;
/** Half of its certificate's life, which is more than a token's whole life before its end. */
const RENEW_AFTER_MS = 24 * 60 * 60 * 1000;

interface OpenListener {
  server: RpcServer;
  at: HostPort;
  credentialsFromMs: number;
}

/** The certmaster's TLS listener. Its key and certificate are made when it opens and live in memory only. */
export class CertmasterListener {
  private current: OpenListener | undefined;

  constructor(
    private readonly options: {
      listen: HostPort;
      log: Log;
      handle: (request: RpcRequest) => Promise<XmlRpcValue>;
    },
  ) {}

  /** Where it listens; undefined while it is closed. */
  get at(): HostPort | undefined {
    return this.current?.at;
  }

  /** Opens it where it is not open yet; not to be called twice at the same time. Throws FuncError. */
  async open(authority: CertificateAuthority): Promise<HostPort> {
    if (this.current !== undefined) {
      if (Date.now() - this.current.credentialsFromMs > RENEW_AFTER_MS) {
        this.current.server.setCredentials(await credentials(authority));
        this.current.credentialsFromMs = Date.now();
      }
      return this.current.at;
    }
    const { listen, log, handle } = this.options;
    // an overlord needs no server of its own until a host is to join it
    const { RpcServer } = await import("../wire/rpcServer");
    const server = new RpcServer({
      ...(await credentials(authority)),
      clientCertificate: "none",
      handle,
      limits: LIMITS,
      maxConnections: MAX_CONNECTIONS,
      log,
    });
    const { port } = await server.listen(listen.port, listen.host).catch((error: unknown) => {
      throw new FuncError(
        "unavailable",
        `The certmaster cannot listen for new hosts: ${messageOf(error)}`,
        'Another overlord of this machine may be open for new hosts: wait for its tokens to end, or give this one another address in overlord.yaml, "certmaster: {listen: 0.0.0.0:51236}" (port 0 takes any free one).',
        { cause: error },
      );
    });
    this.current = { server, at: { host: listen.host, port }, credentialsFromMs: Date.now() };
    log.info("certmaster: listening", { at: formatHostPort(this.current.at) });
    return this.current.at;
  }

  async close(): Promise<void> {
    const { current } = this;
    this.current = undefined;
    if (current === undefined) return;
    await current.server.close();
    this.options.log.info("certmaster: closed", { at: formatHostPort(current.at) });
  }
}

async function credentials(
  authority: CertificateAuthority,
): Promise<{ key: string; certificate: string; ca: string }> {
  const { privateKeyPem, publicKey } = await generateKey();
  const host = hostname().toLowerCase();
  const leaf = authority.issueCertmaster(isMinionName(host) ? host : "certmaster", publicKey);
  // with the CA's certificate, so that a host can compare it with its token's pin
  const certificate = leaf + authority.certificatePem;
  return { key: privateKeyPem, certificate, ca: authority.certificatePem };
}
