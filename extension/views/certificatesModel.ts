import { EventEmitter, type Disposable } from "vscode";
import type {
  CertificateRecord,
  CertmasterList,
  EnrolmentModes,
  TokenRecord,
  WaitingRequest,
} from "../../server/protocol/certmaster";
import type { OverlordSession } from "../overlordSession";
import type { CertificateList } from "./certificateNode";
import { validityOf, type Validity } from "./certificateValidity";

/** What the CA has signed, revoked and is asked for, as this window last heard of it. */
export class CertificatesModel implements Disposable {
  private readonly emitter = new EventEmitter<void>();
  /** The certificates, requests, tokens or modes differ from before, or are unknown now. */
  readonly onDidChange = this.emitter.event;
  private known: CertmasterList | undefined;
  private loading: Promise<void> | undefined;
  private loadingNext: Promise<void> | undefined;
  private byKey = new Map<string, CertificateRecord>();
  /** Sorted by their end. */
  private unrevoked: CertificateRecord[] = [];
  /** The revoked ones, the last one first. */
  private revokedOnes: CertificateRecord[] = [];
  /** When the last certificate of a role and name ends. */
  private lastEnd = new Map<string, number>();

  constructor(private readonly session: OverlordSession) {}

  /** Undefined until the overlord has told. */
  get list(): CertmasterList | undefined {
    return this.known;
  }

  /** The oldest first. */
  get waiting(): readonly WaitingRequest[] {
    return this.known?.waiting ?? [];
  }

  /** Those that can still be used, the one that ends first in front. */
  get tokens(): readonly TokenRecord[] {
    const nowMs = Date.now();
    return (this.known?.tokens ?? []).filter(({ expiresAtMs }) => expiresAtMs > nowMs);
  }

  get modes(): EnrolmentModes {
    return this.known?.modes ?? {};
  }

  /** Until when requests are taken; undefined where they are not. */
  get approvalUntilMs(): number | undefined {
    const untilMs = this.modes.approvalUntilMs;
    return untilMs !== undefined && untilMs > Date.now() ? untilMs : undefined;
  }

  /** All but the revoked ones and those that a renewal has followed into its place, by their end. */
  signed(): CertificateRecord[] {
    const nowMs = Date.now();
    return this.unrevoked.filter((record) => record.notAfterMs > nowMs || !this.isFollowed(record));
  }

  /** The last one first. */
  revoked(): readonly CertificateRecord[] {
    return this.revokedOnes;
  }

  /** One of the lists that are shown apart where there are too many for one. */
  inList(list: CertificateList): readonly CertificateRecord[] {
    if (list === "revoked") return this.revoked();
    return this.signed().filter((record) => this.validity(record) === list);
  }

  /** As validityOf; what a later certificate of the name has followed needs no attention. */
  validity(record: CertificateRecord): Validity {
    return this.isFollowed(record) ? "valid" : validityOf(record);
  }

  /** Whether there is a later certificate of the same name and role. */
  isFollowed(record: CertificateRecord): boolean {
    return (this.lastEnd.get(holder(record)) ?? 0) > record.notAfterMs;
  }

  certificate(key: string): CertificateRecord | undefined {
    return this.byKey.get(key);
  }

  /**
   * Asks for everything. Never rejects: what cannot be told is unknown then. All that come while an
   * answer is awaited share the one after it, which has what changed meanwhile.
   */
  load(): Promise<void> {
    if (this.loading) {
      this.loadingNext ??= this.loading.then(() => {
        this.loadingNext = undefined;
        return this.load();
      });
      return this.loadingNext;
    }
    this.loading = this.ask().finally(() => (this.loading = undefined));
    return this.loading;
  }

  /** Shows an answer that this window got, or that nothing is known. */
  take(list: CertmasterList | undefined): void {
    this.known = list && {
      ...list,
      waiting: [...list.waiting].sort((a, b) => a.sinceMs - b.sinceMs),
      tokens: [...list.tokens].sort((a, b) => a.expiresAtMs - b.expiresAtMs),
    };
    const records = list?.certificates ?? [];
    this.byKey = new Map(records.map((record) => [certificateKey(record), record]));
    this.unrevoked = records
      .filter(({ revoked }) => !revoked)
      .sort((a, b) => a.notAfterMs - b.notAfterMs || (a.name < b.name ? -1 : 1));
    this.revokedOnes = records
      .filter(({ revoked }) => revoked)
      .sort((a, b) => (b.revoked?.atMs ?? 0) - (a.revoked?.atMs ?? 0));
    this.lastEnd = new Map(this.unrevoked.map((record) => [holder(record), record.notAfterMs]));
    this.emitter.fire();
  }

  dispose(): void {
    this.emitter.dispose();
  }

  private async ask(): Promise<void> {
    try {
      this.take(await this.session.request("certmaster/list", {}));
    } catch {
      this.take(undefined); // the session tells of a lost overlord, and the log of anything else
    }
  }
}

/** Names a certificate among all of the fleet's. */
export function certificateKey({ role, name, serial }: CertificateRecord): string {
  return `${role}/${name}/${serial}`;
}

function holder({ role, name }: CertificateRecord): string {
  return `${role}/${name}`;
}
