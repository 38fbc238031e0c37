import { EventEmitter, type Disposable } from "vscode";
import type {
  CertificateRecord,
  CertmasterList,
  EnrolmentModes,
  TokenRecord,
  WaitingRequest,
} from "../../server/protocol/certmaster";
import { waitingBelow, type SubOverlordList } from "../../server/client/waitingBelow";
import type { OverlordSession } from "../overlordSession";
import type { CertificateList, CertificateNode } from "./certificateNode";
import { validityOf, type Validity } from "./certificateValidity";

/** What waits, and where: at this overlord where the path is empty. */
export interface WaitingAt extends WaitingRequest {
  at: string[];
  /** Of the CA there. */
  caWords?: string;
}

/** Sub-overlords that take longer are shown as such. */
const BELOW_TIMEOUT_MS = 15_000;

/** What the CA has signed, revoked and is asked for, as this window last heard of it. */
export class CertificatesModel implements Disposable {
  private readonly emitter = new EventEmitter<void>();
  /** The certificates, requests, tokens or modes differ from before, or are unknown now. */
  readonly onDidChange = this.emitter.event;
  private known: CertmasterList | undefined;
  private belowKnown: readonly SubOverlordList[] = [];
  private loadingBelow: Promise<void> | undefined;
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

  /** What sub-overlords of the delegation map said when they were asked last. */
  get below(): readonly SubOverlordList[] {
    return this.belowKnown;
  }

  /** Here and at the sub-overlords. */
  allWaiting(): WaitingAt[] {
    const { caWords } = this.known ?? {};
    const here = this.waiting.map((request) => ({ ...request, at: [], caWords }));
    const there = this.belowKnown.flatMap(({ path, list }) =>
      (list?.waiting ?? []).map((request) => ({ ...request, at: path, caWords: list?.caWords })),
    );
    return [...here, ...there];
  }

  /** The request that a row stands for, if it still waits. */
  waitingOf({ name, keyFingerprint, at }: RequestNode): WaitingAt | undefined {
    return this.allWaiting().find(
      (request) =>
        request.name === name &&
        request.keyFingerprint === keyFingerprint &&
        request.at.join("/") === (at ?? ""),
    );
  }

  /** Asks the sub-overlords of the delegation map; at most once at a time. Never rejects. */
  loadBelow(): Promise<void> {
    return (this.loadingBelow ??= waitingBelow(this.session, BELOW_TIMEOUT_MS)
      .then(
        (lists) => this.takeBelow(lists),
        () => this.takeBelow([]),
      )
      .finally(() => (this.loadingBelow = undefined)));
  }

  /** Shows what the overlord at the end of a path has answered: this one where it is empty. */
  takeAt(path: readonly string[], list: CertmasterList): void {
    if (path.length === 0) this.take(list);
    else {
      const at = path.join("/");
      this.takeBelow(
        this.belowKnown.map((one) => (one.path.join("/") === at ? { path: one.path, list } : one)),
      );
    }
  }

  private takeBelow(lists: readonly SubOverlordList[]): void {
    if (lists.length === 0 && this.belowKnown.length === 0) return;
    this.belowKnown = lists;
    this.emitter.fire();
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

type RequestNode = Extract<CertificateNode, { kind: "request" }>;

/** Names a certificate among all of the fleet's. */
export function certificateKey({ role, name, serial }: CertificateRecord): string {
  return `${role}/${name}/${serial}`;
}

function holder({ role, name }: CertificateRecord): string {
  return `${role}/${name}`;
}
