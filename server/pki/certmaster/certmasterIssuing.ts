import { FuncError } from "../../common/errors";
import type { CertificateRecord, SignedCertificate } from "../../protocol/certmaster";
import type { CertificateAuthority } from "../authority/certificateAuthority";
import { signRequest } from "../authority/signing";
import type { Triggers } from "./triggers";
import type { HostRequest } from "./waitingRequests";

/** Certificates that were given out are kept for hosts that ask again: more than one fleet's. */
const MAX_KEPT = 10_000;
/** A host asks again within half a minute; its overlord may just be starting anew. */
const FETCH_MS = 10 * 60 * 1000;

export interface EnrolledMinion {
  name: string;
  /** As announced by the host, else where its request came from. */
  address: string;
  port: number;
  record: CertificateRecord;
}

export interface IssuingOptions {
  /** The CA, made where there is none yet. */
  authority: () => Promise<CertificateAuthority>;
  triggers: Triggers;
  /** Runs before the host gets its certificate; where it fails, the host gets none and may try again. */
  onEnrolled: (minion: EnrolledMinion) => Promise<void>;
}

/** Gives hosts their certificates, whichever way they asked. */
export class CertmasterIssuing {
  private readonly kept = new Map<string, SignedCertificate>();
  /** Hosts that do not have their certificate yet, and until when they are expected to fetch it. */
  private readonly unfetched = new Map<string, number>();
  private readonly reissuing = new Map<string, Promise<SignedCertificate>>();

  constructor(private readonly options: IssuingOptions) {}

  /**
   * Signs for the first time, or in place of another key where `replace`. Throws FuncError as `signRequest`,
   * and "denied" where a trigger refuses.
   */
  async issue(
    request: Omit<HostRequest, "keyFingerprint" | "from">,
    replace: boolean,
  ): Promise<SignedCertificate> {
    const { name, csr, address, port } = request;
    const { triggers, onEnrolled } = this.options;
    await triggers.before("sign", name);
    const authority = await this.options.authority();
    const signed = await signRequest(authority, { csr, role: "minion", name, replace });
    try {
      await onEnrolled({ name, address, port, record: signed.record });
      checkKeyIsGood(authority, signed.record.keyFingerprint); // revoked while this waited
    } catch (error) {
      await authority.withdraw(signed.record);
      throw error;
    }
    void triggers.after("sign", name);
    return signed;
  }

  /** As `issue`, and keeps the certificate until the host fetches it with `given`. */
  async issueForLater(request: HostRequest, replace: boolean): Promise<void> {
    const signed = await this.issue(request, replace);
    this.keep(request, signed);
    this.unfetched.set(idOf(request), Date.now() + FETCH_MS);
  }

  /**
   * The certificate of a host that has one on this very key already: the one that is kept, or where an earlier
   * answer was lost another one. Where the host is reached stays as it was: whoever saw its request can repeat
   * that. Undefined where the name has none on this key.
   */
  async given(request: HostRequest): Promise<SignedCertificate | undefined> {
    const authority = await this.options.authority();
    const live = authority.liveMinion(request.name);
    if (live?.keyFingerprint !== request.keyFingerprint) return undefined;
    const kept = this.kept.get(idOf(request));
    this.unfetched.delete(idOf(request));
    if (kept?.record.serial === live.serial) return kept;
    return await this.reissue(authority, request);
  }

  /** Until when a host is expected to fetch its certificate; undefined where none is. */
  unfetchedUntilMs(nowMs: number): number | undefined {
    let lastMs: number | undefined;
    for (const [id, untilMs] of this.unfetched) {
      if (untilMs <= nowMs) this.unfetched.delete(id);
      else lastMs = Math.max(lastMs ?? 0, untilMs);
    }
    return lastMs;
  }

  private async reissue(
    authority: CertificateAuthority,
    request: HostRequest,
  ): Promise<SignedCertificate> {
    const id = idOf(request);
    const { name, csr } = request;
    const signing = this.reissuing.get(id) ?? signRequest(authority, { csr, role: "minion", name });
    this.reissuing.set(id, signing);
    try {
      const signed = await signing;
      checkKeyIsGood(authority, signed.record.keyFingerprint); // revoked while this waited
      this.keep(request, signed);
      return signed;
    } finally {
      this.reissuing.delete(id);
    }
  }

  private keep(request: HostRequest, signed: SignedCertificate): void {
    this.kept.delete(idOf(request));
    this.kept.set(idOf(request), signed);
    for (const oldest of this.kept.keys()) {
      if (this.kept.size <= MAX_KEPT) break;
      this.kept.delete(oldest);
    }
  }
}

/** Throws FuncError "denied" where the key was revoked, in whatever role. */
export function checkKeyIsGood(authority: CertificateAuthority, keyFingerprint: string): void {
  if (authority.revocationOf(keyFingerprint) === undefined) return;
  throw new FuncError(
    "denied",
    "The key of this host was revoked.",
    "Make a new one on the host: move its folder pki away, then ask again.",
  );
}

function idOf({ name, keyFingerprint }: Pick<HostRequest, "name" | "keyFingerprint">): string {
  return `${keyFingerprint} ${name}`;
}
