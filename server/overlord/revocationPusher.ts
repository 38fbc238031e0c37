import { fanOut, missingLast } from "../calls/fanOut";
import { peerOf } from "../calls/minionCaller";
import { unlessAborted } from "../calls/unlessAborted";
import type { Upkeep } from "../calls/upkeep";
import { messageOf } from "../common/errors";
import type { Log } from "../common/log";
import type { CertificateAuthority } from "../pki/authority/certificateAuthority";
import { LIST_WANTED_FAULT, type SignedRevocationList } from "../pki/documents/revocationList";
import type { MinionRecord } from "../protocol/minions";
import type { Inventory } from "../targets/inventory";
import { RpcFault } from "../wire/rpcFault";
import type { WireClient } from "../wire/wireClient";
import {
  compareRevocations,
  KnowsNoList,
  ListNotTaken,
  pushAuthorities,
  pushRevocations,
} from "./pushRevocations";

/** All minions are told at the same time, those that do not answer at the expense of no other. */
const AT_ONCE = 128;
const AT_ONCE_LATER = 16;
/** A list is signed anew after so long: a minion whose own is damaged takes none that is old. */
const SIGNED_FOR_MS = 10 * 60_000;
/** A minion that answers, but does not take the list, is not asked before each call. */
const PAUSE_MS = 30_000;
/** Many minions that are forgotten one by one are one list for the others. */
const SOON_MS = 1_000;
const SOON_TELL_MS = 60_000;
/** After the start. */
const FIRST_ROUND_MS = 500;
const FIRST_RETRY_MS = 15_000;
const LAST_RETRY_MS = 2 * 60_000;
/** So long after a revocation the overlord stays for the minions that do not have it. */
const TRY_FOR_MS = 24 * 60 * 60_000;
/** In place of the number that a minion has. */
const NOTHING = -1;

export interface PusherParts {
  inventory: Inventory;
  /** Undefined where there is no CA yet. */
  authority: () => CertificateAuthority | undefined;
  wire: () => Promise<WireClient>;
  /** For minions that do not know all CAs yet. */
  tellingWire: () => Promise<WireClient>;
  /** As for calls. */
  connectTimeoutMs: number;
  log: Log;
}

/** Who has the present list by now, and why the others do not. */
export interface Told {
  told: number;
  untold: { name: string; why: string }[];
}

/**
 * Brings the revocation list to the minions, and where the CA is or was replaced the list of CAs that they are to
 * trust: to all at once after a change, and to each of the others before its next call, or when it is there again.
 * Which list a minion has is only remembered: after a restart each is asked first, and what it revokes that is
 * unknown here is taken over.
 */
export class RevocationPusher implements Upkeep {
  /** The number each minion has, by its key; nothing of those that were not asked since the start. */
  readonly #told = new Map<string, number>();
  /** The number of the list of CAs each minion has, by its key. */
  readonly #knows = new Map<string, number>();
  /** Those that answer, but do not take them. */
  readonly #pauses = new Map<string, { untilMs: number; why: string }>();
  /** Those that will never take it. */
  readonly #hopeless = new Set<string>();
  readonly #running = new Map<string, Promise<void>>();
  #signed: SignedRevocationList | undefined;
  /** Of the list of CAs: one of others would not be signed by them. */
  #signedUnder = 0;
  #onTold: (everyoneWasTried: boolean) => void = () => undefined;
  #retry: NodeJS.Timeout | undefined;
  #soon: NodeJS.Timeout | undefined;
  /** When there was another list than before. */
  #changedMs = 0;
  #closed = false;

  constructor(private readonly parts: PusherParts) {}

  /** Brings the list to all minions in the background: nobody knows who has it. */
  start(): void {
    if ((this.parts.authority()?.revocationNumber ?? 0) > 0) this.#planRetry(FIRST_ROUND_MS);
  }

  /** True while the overlord should not end: some minion does not have the list, and may yet come. */
  isTrying(): boolean {
    const authority = this.parts.authority();
    if (!authority || authority.revocationNumber === 0) return false;
    const sinceMs = Math.max(authority.revocationState.lastMs, this.#changedMs);
    if (Date.now() - sinceMs > TRY_FOR_MS) return false;
    return this.#targets().some(
      (minion) => this.#lacksList(minion) && !this.#hopeless.has(minion.keyFingerprint),
    );
  }

  before(minion: MinionRecord, signal: AbortSignal): Promise<void> | undefined {
    if (!this.#isBehind(minion) || this.#isPaused(minion)) return undefined;
    // where there is nothing to bring, what it has is asked when it has answered
    const isNothingToBring = (this.parts.authority()?.revocationNumber ?? 0) === 0;
    if (isNothingToBring && !this.#lacksAuthorities(minion)) return undefined;
    return unlessAborted(this.#bring(minion), minion, signal);
  }

  answered(minion: MinionRecord): void {
    if (this.#closed || this.#told.has(minion.keyFingerprint) || this.#isPaused(minion)) return;
    void this.#bring(minion).catch(() => undefined); // it is asked again after its next answer
  }

  /** The list that the minion had is damaged. */
  mend(minion: MinionRecord, error: unknown, signal: AbortSignal): Promise<void> | undefined {
    if (!(error instanceof RpcFault) || error.code !== LIST_WANTED_FAULT) return undefined;
    this.#told.set(minion.keyFingerprint, NOTHING);
    return unlessAborted(this.#bring(minion), minion, signal);
  }

  /** Called when a minion knows another list of CAs, and when all minions were tried. */
  onTold(listener: (everyoneWasTried: boolean) => void): void {
    this.#onTold = listener;
  }

  /** True where the minion trusts every CA that is trusted here. */
  knowsAuthorities({ keyFingerprint, certificateSerial }: MinionRecord): boolean {
    const authority = this.parts.authority();
    if (!authority || authority.rotation.number === 0) return true;
    // it took a certificate of the new CA, so it knows both
    if (authority.isByNext(certificateSerial)) return true;
    return (this.#knows.get(keyFingerprint) ?? 0) >= authority.rotation.number;
  }

  /**
   * Tells every minion that can be reached; answers within `withinMs`. Those that were not told by then get the
   * list later. Never throws.
   */
  async tellAll(withinMs: number): Promise<Told> {
    const minions = missingLast(this.#targets());
    this.#forgetOthers(minions);
    const untold = new Map<string, string>();
    const signal = AbortSignal.timeout(withinMs);
    const round = async (items: MinionRecord[]): Promise<void> =>
      fanOut({
        items,
        nforks: AT_ONCE,
        signal,
        run: async (minion) => {
          this.#pauses.delete(minion.keyFingerprint);
          try {
            await unlessAborted(this.#bring(minion), minion, signal);
            if (!this.#isBehind(minion)) return;
            untold.set(minion.name, this.#pauses.get(minion.keyFingerprint)?.why ?? "unknown");
          } catch (error) {
            untold.set(minion.name, signal.aborted ? "it has not answered yet" : messageOf(error));
          }
        },
        skip: ({ name }) => {
          untold.set(name, "it was not reached in time");
          this.tellSoon(); // those that were tried and failed have time
        },
      });
    // one of them may have had revocations that were unknown here: the others get these too
    for (let behind = minions; behind.length > 0;) {
      await round(behind);
      behind = minions.filter((minion) => this.#isBehind(minion) && !untold.has(minion.name));
    }
    if (untold.size > 0) this.#planRetry(FIRST_RETRY_MS);
    this.#onTold(true);
    return {
      told: minions.length - untold.size,
      untold: [...untold].map(([name, why]) => ({ name, why })),
    };
  }

  /** There is another list. */
  changed(): void {
    this.#changedMs = Date.now();
    this.tellSoon();
  }

  /** Tells every minion in the background, a moment from now. */
  tellSoon(): void {
    if (this.#closed) return;
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      void this.tellAll(SOON_TELL_MS);
    }, SOON_MS).unref();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    clearTimeout(this.#soon);
  }

  /** Brings one minion up to date. Throws the FuncError that a call to it would end with. */
  async #bring(minion: MinionRecord): Promise<void> {
    while (this.#isBehind(minion) && !this.#isPaused(minion)) await this.#pushOnce(minion);
  }

  /** One push to a minion at a time: whoever comes meanwhile waits for it. */
  #pushOnce(minion: MinionRecord): Promise<void> {
    const key = minion.keyFingerprint;
    const running = this.#running.get(key);
    if (running) return running;
    const push = this.#push(minion).finally(() => this.#running.delete(key));
    this.#running.set(key, push);
    return push;
  }

  async #push(minion: MinionRecord): Promise<void> {
    const authority = this.parts.authority();
    if (!authority) return;
    const key = minion.keyFingerprint;
    try {
      const knowsAll = this.knowsAuthorities(minion);
      const wire = await (knowsAll ? this.parts.wire() : this.parts.tellingWire());
      const { connectTimeoutMs } = this.parts;
      const target = { wire, peer: peerOf(minion), connectTimeoutMs };
      if (!this.#told.has(key)) {
        const number = authority.revocationNumber;
        const comparison = await compareRevocations(target, authority);
        this.#told.set(key, comparison === "same" ? number : NOTHING);
        return;
      }
      const { number, document } = authority.rotation;
      // this first: once a CA is not trusted any more, what it alone has signed means nothing
      if (this.#lacksList(minion) || (!knowsAll && authority.revocationNumber > 0)) {
        const list = this.#list(authority);
        if (!(await pushRevocations(target, list, authority))) return;
        this.#told.set(key, list.number);
        this.#hopeless.delete(key);
      }
      if ((this.#knows.get(key) ?? 0) >= number) return;
      await pushAuthorities(target, { number, document });
      this.#knows.set(key, number);
      this.#onTold(false);
    } catch (error) {
      if (!(error instanceof ListNotTaken)) throw error;
      if (error instanceof KnowsNoList) this.#hopeless.add(key);
      const { message: why } = error;
      if (authority.revocationNumber === 0 && !this.#told.has(key)) {
        this.#told.set(key, 0); // there is nothing that it should have
        return;
      }
      this.#pauses.set(key, { untilMs: Date.now() + PAUSE_MS, why });
      this.parts.log.warn("a minion does not have the revocation list", {
        minion: minion.name,
        problem: why,
      });
    }
  }

  #list(authority: CertificateAuthority): SignedRevocationList {
    const signed = this.#signed;
    const isPresent =
      signed?.number === authority.revocationNumber &&
      this.#signedUnder === authority.rotation.number &&
      Date.now() - signed.issuedAtMs < SIGNED_FOR_MS;
    if (isPresent) return signed;
    try {
      this.#signedUnder = authority.rotation.number;
      return (this.#signed = authority.revocationList());
    } catch (error) {
      // the CA is locked; that must not stop the calls of this overlord, which is not revoked
      throw new ListNotTaken(messageOf(error));
    }
  }

  /** Those that were away, or did not take it. */
  #planRetry(delayMs: number): void {
    if (this.#closed) return;
    clearTimeout(this.#retry);
    // not all overlords of a site at the same time
    const inMs = delayMs * (0.75 + Math.random() / 2);
    this.#retry = setTimeout(() => void this.#retryAll(delayMs), inMs).unref();
  }

  async #retryAll(delayMs: number): Promise<void> {
    const behind = this.#targets().filter((minion) => this.#isBehind(minion));
    await fanOut({
      items: behind,
      nforks: AT_ONCE_LATER,
      signal: new AbortController().signal,
      run: (minion) => this.#bring(minion).catch(() => undefined), // it is still away
      skip: () => undefined,
    });
    if (behind.some((minion) => this.#isBehind(minion))) {
      this.#planRetry(Math.min(Math.max(delayMs * 2, FIRST_RETRY_MS), LAST_RETRY_MS));
    }
    this.#onTold(true);
  }

  /** Nobody talks to what is revoked itself. */
  #targets(): MinionRecord[] {
    const authority = this.parts.authority();
    return this.parts.inventory
      .list()
      .filter(({ keyFingerprint }) => authority?.revocationOf(keyFingerprint) === undefined);
  }

  #isBehind(minion: MinionRecord): boolean {
    return this.#lacksList(minion) || this.#lacksAuthorities(minion);
  }

  #lacksList({ keyFingerprint }: MinionRecord): boolean {
    const number = this.parts.authority()?.revocationNumber ?? 0;
    return (this.#told.get(keyFingerprint) ?? NOTHING) < number;
  }

  #lacksAuthorities({ keyFingerprint }: MinionRecord): boolean {
    const number = this.parts.authority()?.rotation.number ?? 0;
    return (this.#knows.get(keyFingerprint) ?? 0) < number;
  }

  #isPaused({ keyFingerprint }: MinionRecord): boolean {
    return (this.#pauses.get(keyFingerprint)?.untilMs ?? 0) > Date.now();
  }

  /** What is known of minions that are gone, or have another key now. */
  #forgetOthers(minions: readonly MinionRecord[]): void {
    const keys = new Set(minions.map(({ keyFingerprint }) => keyFingerprint));
    for (const map of [this.#told, this.#knows, this.#pauses, this.#hopeless]) {
      for (const key of map.keys()) if (!keys.has(key)) map.delete(key);
    }
  }
}
