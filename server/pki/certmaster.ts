import { FuncError, messageOf } from "../common/errors";
import type { Log } from "../common/log";
import type {
  CertificateRecord,
  CreateTokenParams,
  JoinToken,
  TokenRecord,
} from "../protocol/certmaster";
import { RpcFault } from "../wire/rpcFault";
import type { RpcRequest } from "../wire/rpcServer";
import type { XmlRpcValue } from "../wire/value";
import type { CertificateAuthority } from "./certificateAuthority";
import { CertmasterListener } from "./certmasterListener";
import { readCsr } from "./csr";
import {
  decodeEnrolRequest,
  ENROL_METHOD,
  faultCodeOf,
  OTHER_FAULT,
  type EnrolRequest,
} from "./enrolProtocol";
import { formatHostPort, parseHostPort, type HostPort } from "./hostPort";
import { keyFingerprint } from "./identity";
import { formatJoinToken } from "./joinToken";
import { parseNameGlob } from "./nameGlob";
import { offeredAddresses } from "./offeredAddresses";
import { SerialQueue } from "./serialQueue";
import { TokenBook } from "./tokenBook";

const MINUTE_MS = 60 * 1000;
const DEFAULT_TTL_MS = 15 * MINUTE_MS;
const MIN_TTL_MS = MINUTE_MS;
const MAX_TTL_MS = 24 * 60 * MINUTE_MS;
/** How long the last host may take to read its answer before the listener closes under it. */
const ANSWER_GRACE_MS = 2000;
/** This machine's addresses are tested at most this often. */
const ADDRESSES_KEPT_MS = MINUTE_MS;

export interface EnrolledMinion {
  name: string;
  /** As announced by the host, else where its request came from. */
  address: string;
  port: number;
  record: CertificateRecord;
}

export interface CertmasterOptions {
  /** The CA, made where there is none yet. */
  authority: () => Promise<CertificateAuthority>;
  /** Port 0 is any free one. */
  listen: HostPort;
  log: Log;
  /** Runs before the host gets its certificate; where it fails, the host gets none and may try again. */
  onEnrolled: (minion: EnrolledMinion) => Promise<void>;
}

/**
 * Enrols hosts by one-time join tokens. Its listener is open only while a token can be used. Tokens live in
 * memory: a restart of the overlord ends them.
 */
export class Certmaster {
  private readonly book = new TokenBook();
  private readonly listener: CertmasterListener;
  /** Opening, closing and new tokens never overlap. */
  private readonly queue = new SerialQueue();
  private readonly namesInWork = new Set<string>();
  private readonly log: Log;
  private ownAddresses: { fromMs: number; at: string; found: Promise<string[]> } | undefined;
  private answering = 0;
  private closed = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: CertmasterOptions) {
    this.log = options.log;
    this.listener = new CertmasterListener({
      listen: options.listen,
      log: options.log,
      handle: (request) => this.handle(request),
    });
  }

  /**
   * A token for one host; opens the listener. Throws FuncError "bad-argument" for a lifetime outside of 1 minute
   * to 24 hours, a pattern or an address that is none; "unavailable" where the listener cannot open.
   */
  async createToken(params: CreateTokenParams): Promise<JoinToken> {
    const ttlMs = params.ttlMs ?? DEFAULT_TTL_MS;
    if (!(ttlMs >= MIN_TTL_MS && ttlMs <= MAX_TTL_MS)) {
      throw new FuncError("bad-argument", "A join token can live for 1 minute to 24 hours.");
    }
    const glob = params.nameGlob === undefined ? undefined : parseNameGlob(params.nameGlob);
    for (const address of params.addresses ?? []) parseHostPort(address, 1);
    const authority = await this.options.authority();
    return await this.whileOpen(authority, async (at) => {
      const addresses = await this.addressesFor(at, params.addresses);
      const now = Date.now();
      const expiresAtMs = now + ttlMs;
      const { id, secret } = this.book.add(expiresAtMs, glob, now);
      const caFingerprint = authority.fingerprint;
      const token = formatJoinToken({ id, secret, caFingerprint, addresses });
      return { id, token, expiresAtMs, addresses, caFingerprint };
    });
  }

  /** The tokens that can still be used. */
  tokens(): TokenRecord[] {
    return this.book.list(Date.now());
  }

  /** HOST:PORT of the listener while it is open. */
  listening(): string | undefined {
    return this.listener.at && formatHostPort(this.listener.at);
  }

  /** Ends all tokens and the listener, at once and for good. */
  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    this.book.clear();
    await this.queue.run(() => this.listener.close());
  }

  private async whileOpen<T>(
    authority: CertificateAuthority,
    task: (at: HostPort) => Promise<T>,
  ): Promise<T> {
    return await this.queue.run(async () => {
      if (this.closed) throw new FuncError("unavailable", "The certmaster has ended.");
      try {
        return await task(await this.listener.open(authority));
      } finally {
        this.planClosing();
      }
    });
  }

  private addressesFor(at: HostPort, given: string[] | undefined): Promise<string[]> {
    if (given !== undefined && given.length > 0) return offeredAddresses(at, given);
    const now = Date.now();
    const own = this.ownAddresses;
    if (own?.at === formatHostPort(at) && now - own.fromMs < ADDRESSES_KEPT_MS) return own.found;
    const found = offeredAddresses(at, undefined);
    this.ownAddresses = { fromMs: now, at: formatHostPort(at), found };
    return found;
  }

  /** Closes the listener once no token can be used any more, and no answer is on its way. */
  private planClosing(): void {
    clearTimeout(this.timer);
    if (this.closed || this.answering > 0) return;
    const nextMs = this.book.nextExpiryMs(Date.now());
    if (nextMs !== undefined) {
      const waitMs = Math.max(nextMs - Date.now(), 100);
      this.timer = setTimeout(() => this.planClosing(), waitMs).unref();
      return;
    }
    void this.queue
      .run(async () => {
        if (this.answering === 0 && this.tokens().length === 0) await this.listener.close();
      })
      .catch((error: unknown) => {
        this.log.error("certmaster: closing failed", { error: messageOf(error) });
      });
  }

  private async handle({ method, params, connection, signal }: RpcRequest): Promise<XmlRpcValue> {
    const from = connection.remoteAddress.replace(/^::ffff:/i, "");
    try {
      if (method !== ENROL_METHOD) {
        throw new FuncError("bad-argument", `The certmaster has no method but ${ENROL_METHOD}.`);
      }
      const request = decodeEnrolRequest(params);
      const answer = await this.enrol(request, request.address ?? from, signal);
      this.log.info("certmaster: enrolled", { name: request.name, from, token: request.tokenId });
      return answer;
    } catch (error) {
      this.log.warn("certmaster: enrolment refused", { from, error: messageOf(error) });
      throw faultOf(error);
    } finally {
      this.planClosing();
    }
  }

  /** The answer that is about to be sent must arrive, even where it is the last. */
  private stayOpenFor(connectionClosed: AbortSignal): void {
    this.answering += 1;
    const end = () => {
      clearTimeout(timer);
      connectionClosed.removeEventListener("abort", end);
      this.answering -= 1;
      this.planClosing();
    };
    const timer = setTimeout(end, ANSWER_GRACE_MS).unref();
    connectionClosed.addEventListener("abort", end);
  }

  private async enrol(
    request: EnrolRequest,
    address: string,
    connectionClosed: AbortSignal,
  ): Promise<XmlRpcValue> {
    const { tokenId, secret, name, port } = request;
    this.book.reserve(tokenId, secret, name, Date.now());
    try {
      return await this.alone(name, async () => {
        const csr = readCsr(request.csr);
        if (csr.name !== name) {
          throw new FuncError(
            "bad-argument",
            `The certificate request is for ${csr.name}, not for ${name}.`,
          );
        }
        const authority = await this.options.authority();
        checkNameIsFree(authority, name, keyFingerprint(csr.publicKey));
        const issued = await authority.issue({ role: "minion", name, publicKey: csr.publicKey });
        try {
          await this.options.onEnrolled({ name, address, port, record: issued.record });
        } catch (error) {
          await authority.withdraw(issued.record);
          throw error;
        }
        this.stayOpenFor(connectionClosed);
        this.book.use(tokenId);
        return { certificate: issued.certificatePem, ca: authority.certificatePem, name };
      });
    } finally {
      this.book.giveBack(tokenId); // nothing where it was used
    }
  }

  /** Two hosts with two tokens must not get the same name at the same time. */
  private async alone<T>(name: string, task: () => Promise<T>): Promise<T> {
    if (this.namesInWork.has(name)) {
      throw new FuncError("conflict", `Another host is just being enrolled as ${name}.`);
    }
    this.namesInWork.add(name);
    try {
      return await task();
    } finally {
      this.namesInWork.delete(name);
    }
  }
}

function checkNameIsFree(authority: CertificateAuthority, name: string, fingerprint: string): void {
  const live = authority.liveMinion(name);
  // the same key: a host whose first answer got lost asks again
  if (live === undefined || live.keyFingerprint === fingerprint) return;
  const until = new Date(live.notAfterMs).toISOString().slice(0, 10);
  throw new FuncError(
    "conflict",
    `There is already a minion ${name}, with another key and a certificate until ${until}.`,
    `If this host replaces it, forget the minion on the overlord first (func ca forget ${name}); otherwise join under another name (--name).`,
  );
}

function faultOf(error: unknown): RpcFault {
  const code = error instanceof FuncError ? faultCodeOf(error.reason) : undefined;
  if (!(error instanceof FuncError) || code === undefined) {
    return new RpcFault(OTHER_FAULT, "The overlord could not enrol this host; its log tells why.");
  }
  return new RpcFault(code, [error.message, error.nextStep].filter(Boolean).join(" "));
}
