import { FuncError } from "../../common/errors";
import type { Log } from "../../common/log";
import type { SignedCertificate, WaitingRequest } from "../../protocol/certmaster";
import type { CertificateAuthority } from "../authority/certificateAuthority";
import { fingerprintWords } from "../certificates/fingerprintWords";
import type { AskAnswer } from "../enrolment/askProtocol";
import type { Autosign } from "./autosign";
import { checkKeyIsGood, type CertmasterIssuing } from "./certmasterIssuing";
import type { Triggers } from "./triggers";
import { WaitingRequests, type HostRequest, type WaitingEntry } from "./waitingRequests";

export interface ApprovalOptions {
  authority: () => Promise<CertificateAuthority>;
  issuing: CertmasterIssuing;
  triggers: Triggers;
  autosign?: Autosign;
  /** Whether the inventory has a minion of this name. */
  isListed?: (name: string) => boolean;
  log: Log;
  /** What waits is different now. */
  onChanged: () => void;
}

/** Hosts that ask without a token wait here for an operator, unless autosign has them signed. */
export class CertmasterApproval {
  private readonly requests = new WaitingRequests();
  /** Those whose triggers run at this moment. */
  private readonly arriving = new Set<string>();
  /** Which live key the operator was shown as the one that approval replaces. */
  private readonly shown = new WeakMap<WaitingEntry, string>();
  private endsMs = 0;

  constructor(private readonly options: ApprovalOptions) {}

  /** Until when requests are taken over TLS; undefined while they are not. */
  untilMs(nowMs: number): number | undefined {
    return this.endsMs > nowMs ? this.endsMs : undefined;
  }

  /** Takes requests until then; those that wait stay when it is over. */
  openUntil(endsMs: number): void {
    this.endsMs = endsMs;
  }

  /** When the next request is dropped for its age; undefined where none waits. */
  nextExpiryMs(): number | undefined {
    return this.requests.nextExpiryMs();
  }

  /**
   * A host asks, for the first time or again; its certificate request was read and is its own. Throws FuncError
   * "unavailable" where there is no room, "denied" for a revoked key or where a trigger refuses.
   */
  async ask(request: HostRequest): Promise<AskAnswer> {
    const { authority, issuing } = this.options;
    const given = await issuing.given(request);
    if (given) return approved(given);
    const now = Date.now();
    const deniedUntilMs = this.requests.deniedUntilMs(request.keyFingerprint, now);
    if (deniedUntilMs !== undefined) return { state: "denied", retryMs: deniedUntilMs - now };
    if (this.requests.find(request)) {
      this.requests.refresh(request);
      return { state: "waiting" };
    }
    if (!request.unprotected && this.untilMs(now) === undefined) return { state: "closed" };
    checkKeyIsGood(await authority(), request.keyFingerprint);
    const id = `${request.keyFingerprint} ${request.name}`;
    if (this.arriving.has(id)) return { state: "waiting" };
    this.requests.checkRoom(request.from, now);
    this.arriving.add(id);
    try {
      return await this.arrive(request);
    } finally {
      this.arriving.delete(id);
    }
  }

  /** What waits, the oldest first; `existing`: the CA, where there is one. */
  list(existing: CertificateAuthority | undefined): WaitingRequest[] {
    return this.requests.list(Date.now()).map((entry) => {
      const { name, keyFingerprint, from, port, sinceMs, unprotected } = entry;
      const replaces = otherLiveKey(existing, entry);
      if (replaces === undefined) this.shown.delete(entry);
      else this.shown.set(entry, replaces);
      return {
        name,
        keyFingerprint,
        words: fingerprintWords(keyFingerprint),
        from,
        port,
        sinceMs,
        ...(replaces !== undefined && { replaces }),
        ...(unprotected && { unprotected }),
      };
    });
  }

  /**
   * Signs what waits; the host gets it when it asks again. Throws FuncError "not-found" where the name does not
   * wait, "conflict" where it waits with another key only, or would replace a key that was not shown.
   */
  async approve(name: string, keyFingerprint: string): Promise<void> {
    const entry = this.get(name, keyFingerprint);
    const replaces = otherLiveKey(await this.options.authority(), entry);
    if (replaces !== undefined && replaces !== this.shown.get(entry)) {
      throw new FuncError(
        "conflict",
        `There is a minion ${name} with another key by now.`,
        "Look at the waiting requests again: approving this one replaces it.",
      );
    }
    await this.options.issuing.issueForLater(entry, replaces !== undefined);
    this.requests.remove(entry);
    this.options.log.info("certmaster: approved", { name, keyFingerprint, replaces });
    this.options.onChanged();
  }

  /** The host is told so, and cannot ask again with this key for an hour. Throws FuncError as `approve`. */
  deny(name: string, keyFingerprint: string): void {
    const entry = this.get(name, keyFingerprint);
    this.requests.deny(entry.keyFingerprint, Date.now());
    this.options.log.info("certmaster: denied", { name, keyFingerprint });
    this.options.onChanged();
  }

  private async arrive(request: HostRequest): Promise<AskAnswer> {
    const { authority, autosign, isListed, issuing, triggers, log } = this.options;
    const { name, from, unprotected } = request;
    await triggers.before("request", name);
    const isNew = wasNeverTaken(await authority(), name) && isListed?.(name) !== true;
    const isOpen = this.untilMs(Date.now()) !== undefined;
    if (isNew && isOpen && !unprotected && autosign?.allows(name, from) === true) {
      await issuing.issueForLater(request, false);
      log.info("certmaster: signed by itself (autosign)", { name, from });
    } else {
      this.requests.add(request, Date.now());
      log.info("certmaster: a request waits for approval", { name, from });
    }
    this.options.onChanged();
    void triggers.after("request", name);
    const given = await issuing.given(request);
    return given ? approved(given) : { state: "waiting" };
  }

  private get(name: string, keyFingerprint: string): WaitingEntry {
    const entry = this.requests.find({ name, keyFingerprint });
    if (entry) return entry;
    const others = this.requests.list(Date.now()).filter((other) => other.name === name);
    if (others.length === 0) {
      throw new FuncError(
        "not-found",
        `No request for ${name} is waiting.`,
        'See what waits with "func ca waiting".',
      );
    }
    throw new FuncError(
      "conflict",
      `${name} waits with another key than this one.`,
      'Compare its words with what the host shows: "func ca waiting".',
    );
  }
}

function approved({ certificate, ca }: SignedCertificate): AskAnswer {
  return { state: "approved", certificate, ca };
}

/** False also where a key of it was revoked: whoever had that may be the one who asks. */
function wasNeverTaken(authority: CertificateAuthority, name: string): boolean {
  return authority.liveMinion(name) === undefined && authority.revocationsOf("minion", name) === 0;
}

function otherLiveKey(
  authority: CertificateAuthority | undefined,
  { name, keyFingerprint }: HostRequest,
): string | undefined {
  const live = authority?.liveMinion(name);
  return live && live.keyFingerprint !== keyFingerprint ? live.keyFingerprint : undefined;
}
