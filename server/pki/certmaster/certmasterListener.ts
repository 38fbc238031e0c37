import { hostname } from "node:os";
import { FuncError, messageOf } from "../../common/errors";
import { formatHostPort, type HostPort } from "../../common/hostPort";
import type { Log } from "../../common/log";
import { isMinionName } from "../../common/minionName";
import type { RpcRequest, RpcServer } from "../../wire/rpcServer";
import type { XmlRpcValue } from "../../wire/value";
import type { CertificateAuthority } from "../authority/certificateAuthority";
import { generateKey } from "../certificates/keyFiles";

/** A request is one certificate request and a few words. */
const LIMITS = { maxBytes: 64 * 1024, maxDepth: 8, maxElements: 64 };
const MAX_CONNECTIONS = 64;
/** Half of its certificate's life, which is more than a token's whole life before its end. */
const RENEW_AFTER_MS = 24 * 60 * 60 * 1000;

interface OpenListener {
  server: RpcServer;
  at: HostPort;
  credentialsFromMs: number;
  /** The CA that hosts are shown (its fingerprint): tokens pin it, so it stays the same while it is trusted. */
  shown: string;
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

  /** hex SHA-256 of the CA that hosts are shown; undefined while it is closed. */
  get shown(): string | undefined {
    return this.current?.shown;
  }

  /** Shows another CA where the one that it shows is not trusted any more: tokens that pin that are of no more use. */
  async update(authority: CertificateAuthority): Promise<void> {
    const { current } = this;
    if (!current) return;
    const { shown, ...fresh } = await credentials(authority, current.shown);
    current.server.setCredentials(fresh);
    Object.assign(current, { shown, credentialsFromMs: Date.now() });
  }

  /** Opens it where it is not open yet; not to be called twice at the same time. Throws FuncError. */
  async open(authority: CertificateAuthority): Promise<HostPort> {
    if (this.current !== undefined) {
      if (Date.now() - this.current.credentialsFromMs > RENEW_AFTER_MS) {
        await this.update(authority);
      }
      return this.current.at;
    }
    const { listen, log, handle } = this.options;
    // an overlord needs no server of its own until a host is to join it
    const { RpcServer } = await import("../../wire/rpcServer");
    const { shown, ...own } = await credentials(authority);
    const server = new RpcServer({
      ...own,
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
    const at = { host: listen.host, port };
    this.current = { server, at, credentialsFromMs: Date.now(), shown };
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
  shown?: string,
): Promise<{ key: string; certificate: string; ca: string; shown: string }> {
  const { privateKeyPem, publicKey } = await generateKey();
  const host = hostname().toLowerCase();
  const name = isMinionName(host) ? host : "certmaster";
  const { certificatePem, caPem, caFingerprint } = authority.issueCertmaster(
    name,
    publicKey,
    shown,
  );
  // with the CA's certificate, so that a host can compare it with its token's pin
  const certificate = certificatePem + caPem;
  return { key: privateKeyPem, certificate, ca: caPem, shown: caFingerprint };
}
