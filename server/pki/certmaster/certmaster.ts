import { FuncError, messageOf } from "../../common/errors";
import { formatHostPort, parseHostPort, type HostPort } from "../../common/hostPort";
import type { Log } from "../../common/log";
import type {
  CreateTokenParams,
  EnrolmentModes,
  JoinToken,
  TokenRecord,
  WaitingRequest,
} from "../../protocol/certmaster";
import type { CertificateAuthority } from "../authority/certificateAuthority";
import { formatJoinToken } from "../enrolment/joinToken";
import { Autosign, type AutosignRules } from "./autosign";
import { CertmasterApproval } from "./certmasterApproval";
import { CertmasterIssuing, type EnrolledMinion } from "./certmasterIssuing";
import { CertmasterListener } from "./certmasterListener";
import { CertmasterRequests, type Refusal } from "./certmasterRequests";
import { CertmasterTokens } from "./certmasterTokens";
import { parseNameGlob } from "./nameGlob";
import { OwnAddresses } from "./ownAddresses";

import { SerialQueue } from "../../common/serialQueue";
import type { Triggers } from "./triggers";
import { WaitForCertServer } from "./waitForCertServer";

const MINUTE_MS = 60 * 1000;
const DEFAULT_TTL_MS = 15 * MINUTE_MS;
const MIN_TTL_MS = MINUTE_MS;
const MAX_TTL_MS = 24 * 60 * MINUTE_MS;
const MAX_APPROVAL_MS = 24 * 60 * MINUTE_MS;

export interface CertmasterOptions {
  /** The CA, made where there is none yet. */
  authority: () => Promise<CertificateAuthority>;
  /** The CA; undefined where there is none yet. */
  existingAuthority: () => CertificateAuthority | undefined;
  /** Of the TLS listener; port 0 is any free one. */
  listen: HostPort;
  triggers: Triggers;
  /** Nothing is signed by itself without. */
  autosign?: AutosignRules;
  /** Whether the inventory has a minion of this name: a person decides about that. */
  isListed?: (name: string) => boolean;
  /** Where the original's plain HTTP is answered; nowhere without. */
  originalHttp?: HostPort;
  log: Log;
  /** Runs before the host gets its certificate; where it fails, the host gets none and may try again. */
  onEnrolled: (minion: EnrolledMinion) => Promise<void>;
  /** Tokens, waiting requests, modes or certificates are different now. */
  onChanged?: () => void;
  /** Told of everybody who was turned away, for the audit; of each kind 5 a minute, then how many more. */
  onRefused?: (refusal: Refusal) => void;
}

/**
 * Enrols hosts: by one-time join tokens, and those that wait for an operator's approval. Its TLS listener is open
 * only while a token can be used or requests are taken. All of that lives in memory: a restart of the overlord
 * ends it.
 */
export class Certmaster {
  private readonly listener: CertmasterListener;
  private readonly tokenEnrolment: CertmasterTokens;
  private readonly approval: CertmasterApproval;
  private readonly issuing: CertmasterIssuing;
  private readonly requests: CertmasterRequests;
  private readonly addresses = new OwnAddresses();
  private readonly originalHttp: WaitForCertServer | undefined;
  /** Opening, closing and new tokens never overlap. */
  private readonly queue = new SerialQueue();
  private readonly log: Log;
  private approvalAddresses: string[] = [];
  private closed = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: CertmasterOptions) {
    const { log, listen, autosign, triggers } = options;
    this.log = log;
    const issuing = (this.issuing = new CertmasterIssuing(options));
    this.tokenEnrolment = new CertmasterTokens({ issuing, triggers });
    const onChanged = (): void => {
      this.changed();
    };
    this.approval = new CertmasterApproval({
      ...options,
      issuing,
      autosign: autosign && new Autosign(autosign),
      onChanged,
    });
    this.requests = new CertmasterRequests({
      tokens: this.tokenEnrolment,
      approval: this.approval,
      log,
      onChanged,
      onDone: () => {
        this.planClosing();
      },
      onRefused: (refusal) => options.onRefused?.(refusal),
    });
    const handle = (request: Parameters<CertmasterRequests["handle"]>[0]) =>
      this.requests.handle(request);
    this.listener = new CertmasterListener({ listen, log, handle });
    this.originalHttp =
      options.originalHttp &&
      new WaitForCertServer({ listen: options.originalHttp, log, requests: this.requests });
  }

  /** Opens what overlord.yaml wants open always. Never fails: `modes` tells what is wrong. */
  async open(): Promise<void> {
    await this.originalHttp?.open();
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
      const addresses = await this.addresses.of(at, params.addresses);
      const now = Date.now();
      const expiresAtMs = now + ttlMs;
      const { id, secret } = this.tokenEnrolment.book.add(expiresAtMs, glob, now);
      const caFingerprint = this.listener.shown ?? authority.fingerprint;
      const token = formatJoinToken({ id, secret, caFingerprint, addresses });
      return { id, token, expiresAtMs, addresses, caFingerprint };
    });
  }

  /** The tokens that can still be used. */
  tokens(): TokenRecord[] {
    return this.tokenEnrolment.book.list(Date.now());
  }

  /** Takes a token back. Throws FuncError "not-found", or "conflict" while a host uses it. */
  closeToken(id: string): void {
    this.tokenEnrolment.book.close(id, Date.now());
    this.changed();
  }

  /**
   * Takes requests without a token, which then wait, for so long; 0 ends that. Throws FuncError "bad-argument"
   * beyond 24 hours, "unavailable" where the listener cannot open.
   */
  async setApproval(forMs: number): Promise<void> {
    if (!(forMs >= 0 && forMs <= MAX_APPROVAL_MS)) {
      throw new FuncError("bad-argument", "Requests can be taken for up to 24 hours.");
    }
    if (forMs === 0) {
      this.approval.openUntil(0);
      this.changed();
      return;
    }
    await this.whileOpen(await this.options.authority(), async (at) => {
      this.approvalAddresses = await this.addresses.of(at, undefined);
      this.approval.openUntil(Date.now() + forMs);
    });
    this.log.info("certmaster: takes requests for approval", { minutes: forMs / MINUTE_MS });
  }

  /** Signs what waits for this name and key. Throws FuncError as `CertmasterApproval.approve`. */
  async approve(name: string, keyFingerprint: string): Promise<void> {
    await this.approval.approve(name.toLowerCase(), keyFingerprint);
    if (this.listener.at !== undefined) return;
    // the host has to come for it
    await this.whileOpen(await this.options.authority(), async () => undefined).catch(
      (error: unknown) => {
        this.log.warn("certmaster: not open for approved hosts", { error: messageOf(error) });
      },
    );
  }

  /** Turns down what waits for this name and key. Throws FuncError as `CertmasterApproval.deny`. */
  deny(name: string, keyFingerprint: string): void {
    this.approval.deny(name.toLowerCase(), keyFingerprint);
  }

  /** What waits for an operator, the oldest first. */
  waiting(): WaitingRequest[] {
    return this.approval.list(this.options.existingAuthority());
  }

  /** How hosts can get certificates at this moment, besides tokens. */
  modes(): EnrolmentModes {
    const approvalUntilMs = this.approval.untilMs(Date.now());
    const { autosign } = this.options;
    return {
      ...(approvalUntilMs !== undefined && {
        approvalUntilMs,
        approvalAddresses: this.approvalAddresses,
      }),
      ...(autosign && { autosign }),
      ...(this.originalHttp && { originalHttp: this.originalHttp.state() }),
    };
  }

  /** HOST:PORT of the TLS listener while it is open. */
  listening(): string | undefined {
    return this.listener.at && formatHostPort(this.listener.at);
  }

  /** After another CA has taken the place of the one that hosts were shown. */
  async authorityChanged(): Promise<void> {
    const authority = this.options.existingAuthority();
    if (authority) await this.queue.run(() => this.listener.update(authority));
  }

  /** True while hosts can come: the overlord must not end then. */
  isActive(): boolean {
    return this.activeUntilMs() !== undefined || this.originalHttp?.isOpen() === true;
  }

  /** Ends all tokens and listeners, at once and for good. */
  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    this.tokenEnrolment.book.clear();
    await this.originalHttp?.close();
    await this.queue.run(() => this.listener.close());
  }

  private changed(): void {
    this.planClosing();
    this.options.onChanged?.();
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
        this.changed();
      }
    });
  }

  /** When the next of what keeps the listener open ends; undefined where nothing does. */
  private activeUntilMs(): number | undefined {
    const now = Date.now();
    const moments = [
      this.tokenEnrolment.book.nextExpiryMs(now),
      this.approval.untilMs(now),
      this.issuing.unfetchedUntilMs(now),
    ].filter((moment) => moment !== undefined);
    return moments.length === 0 ? undefined : Math.min(...moments);
  }

  /**
   * Closes the listener once no host can come any more, and no answer is on its way; tells when a token, a request
   * or a mode has come to its end by itself.
   */
  private planClosing(): void {
    clearTimeout(this.timer);
    if (this.closed) return;
    const activeMs = this.activeUntilMs();
    const nextMs = Math.min(activeMs ?? Infinity, this.approval.nextExpiryMs() ?? Infinity);
    if (nextMs !== Infinity) {
      const waitMs = Math.max(nextMs - Date.now(), 100);
      this.timer = setTimeout(() => this.changed(), waitMs).unref();
    }
    if (activeMs !== undefined || this.requests.answering > 0) return;
    void this.queue
      .run(async () => {
        if (this.requests.answering === 0 && this.activeUntilMs() === undefined) {
          await this.listener.close();
        }
      })
      .catch((error: unknown) => {
        this.log.error("certmaster: closing failed", { error: messageOf(error) });
      });
  }
}
