import { unlessAborted } from "../calls/unlessAborted";
import type { Upkeep } from "../calls/upkeep";
import { FuncError, messageOf, type ErrorReason } from "../common/errors";
import type { Log } from "../common/log";
import type { CertificateAuthority } from "../pki/authority/certificateAuthority";
import type { RenewalFailure } from "../protocol/certmaster";
import type { MinionRecord } from "../protocol/minions";
import type { Inventory } from "../targets/inventory";
import { errorCode } from "../wire/tlsErrors";
import type { WireClient } from "../wire/wireClient";
import { expiryWarnings } from "./expiryWarnings";
import { renewalDueMs } from "./renewalSchedule";
import { renewMinion } from "./renewMinion";

const LOOK_MS = 60_000;
/** The first calls of a user go first. */
const FIRST_LOOK_MS = 2_000;
/** Of those that nobody waits for, and of all. */
const IN_BACKGROUND = 4;
const AT_ONCE = 16;
/** After a failure nobody asks that minion in the background for so long; doubled each time. */
const FIRST_PAUSE_MS = 60_000;
const LAST_PAUSE_MS = 6 * 60 * 60_000;
const UNREACHED: ReadonlySet<ErrorReason> = new Set<ErrorReason>([
  "refused",
  "unreachable",
  "name-not-found",
  "timed-out",
]);

export interface RenewalParts {
  inventory: Inventory;
  /** Undefined where there is no CA yet. */
  authority: () => CertificateAuthority | undefined;
  /** A client of its own, which takes certificates that have expired. Closed by the one who asked. */
  client: () => Promise<WireClient>;
  /** True where the minion trusts every CA that is trusted here. */
  knowsAuthorities: (minion: MinionRecord) => boolean;
  /** The minion goes under this key from now on. */
  onRenewed: (before: MinionRecord, after: MinionRecord) => Promise<void>;
  /** The first of several failures in a row. */
  onFailed: () => void;
  log: Log;
}

interface Pause extends RenewalFailure {
  untilMs: number;
  failures: number;
  /** It could not be reached: once it answers a call, there is no reason to wait any more. */
  untilReached: boolean;
}

/**
 * Renews the certificates of minions: in the background when they are due, and before a call where they have
 * expired, so that whoever calls just sees it work.
 */
export class Renewals implements Upkeep {
  readonly #parts: RenewalParts;
  readonly #running = new Map<string, Promise<void>>();
  readonly #waiting: (() => void)[] = [];
  readonly #pauses = new Map<string, Pause>();
  /** By name, as of the last look. */
  #due = new Map<string, { serial: string; atMs: number }>();
  #warned = new Set<string>();
  #active = 0;
  #looking = false;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: RenewalParts) {
    this.#parts = parts;
  }

  /** Begins to look, every minute, at what is due. */
  start(): void {
    this.#timer = setTimeout(() => {
      this.#timer = setInterval(() => void this.look(), LOOK_MS).unref();
      void this.look();
    }, FIRST_LOOK_MS).unref();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  before(minion: MinionRecord, signal: AbortSignal): Promise<void> | undefined {
    if (minion.cnOnly || minion.certificateNotAfterMs > Date.now()) return undefined;
    return unlessAborted(this.renew(minion.name), minion, signal);
  }

  /** The minion's clock, or its certificate, is not what the inventory says. */
  mend(minion: MinionRecord, error: unknown, signal: AbortSignal): Promise<void> | undefined {
    const expired =
      !minion.cnOnly &&
      error instanceof FuncError &&
      error.reason === "tls" &&
      errorCode(error.cause) === "CERT_HAS_EXPIRED";
    return expired ? unlessAborted(this.renew(minion.name), minion, signal) : undefined;
  }

  answered({ name }: MinionRecord): void {
    const due = this.#due.get(name);
    if (!due || due.atMs > Date.now() || this.#closed || this.#running.has(name)) return;
    const minion = this.#parts.inventory.find(name);
    if (minion?.certificateSerial !== due.serial) return;
    if (this.#pauses.get(name)?.untilReached === true) this.#pauses.delete(name);
    if (!this.#isPaused(name)) void this.#renewQuietly(minion);
  }

  /** The minions whose certificates should be renewed by now. */
  due(): MinionRecord[] {
    const issued = new Map(
      this.#parts
        .authority()
        ?.list()
        .map((one) => [one.serial, one]),
    );
    const minions = this.#parts.inventory.list().filter(({ cnOnly }) => !cnOnly);
    this.#due = new Map(
      minions.map((minion) => {
        const serial = minion.certificateSerial;
        const atMs = this.#isOutdated(minion) ? 0 : renewalDueMs(minion, issued.get(serial));
        return [minion.name, { serial, atMs }];
      }),
    );
    const now = Date.now();
    return minions.filter(({ name }) => (this.#due.get(name)?.atMs ?? Infinity) <= now);
  }

  /** Renews now, whether due or not; a renewal under way is waited for. Throws what `renewMinion` throws. */
  renew(name: string): Promise<void> {
    const running = this.#running.get(name);
    if (running) return running;
    const renewing = this.#renew(name).finally(() => {
      this.#running.delete(name);
    });
    this.#running.set(name, renewing);
    return renewing;
  }

  /** Of the minion's certificate; undefined where its last renewal went well, or none was tried. */
  failureOf({ name }: MinionRecord): RenewalFailure | undefined {
    const pause = this.#pauses.get(name);
    return pause && { sinceMs: pause.sinceMs, problem: pause.problem };
  }

  /** Renews what is due, a few at a time. */
  async look(): Promise<void> {
    this.#warn();
    // what is due waits for the CA's key
    if (this.#looking || this.#closed || this.#parts.authority()?.lock.isLocked !== false) return;
    this.#looking = true;
    try {
      const due = this.due();
      const work = async (): Promise<void> => {
        for (let minion = due.shift(); minion && !this.#closed; minion = due.shift()) {
          if (!this.#isPaused(minion.name)) await this.#renewQuietly(minion);
        }
      };
      await Promise.all(Array.from({ length: IN_BACKGROUND }, work));
    } finally {
      this.#looking = false;
    }
  }

  #warn(): void {
    const { authority, inventory, log } = this.#parts;
    const warnings = expiryWarnings(authority(), inventory.list());
    for (const warning of warnings) {
      if (!this.#warned.has(warning)) log.warn(warning);
    }
    this.#warned = new Set(warnings);
  }

  async #renewQuietly({ name }: MinionRecord): Promise<void> {
    try {
      await this.renew(name);
    } catch (error) {
      const pause = this.#pauses.get(name);
      this.#parts.log.warn("a certificate is not renewed yet", {
        minion: name,
        problem: messageOf(error),
        failures: pause?.failures,
      });
    }
  }

  async #renew(name: string): Promise<void> {
    const { inventory, log, onRenewed } = this.#parts;
    const authority = this.#parts.authority();
    if (!authority) throw new FuncError("unavailable", "There is no CA to renew certificates.");
    authority.lock.get(); // no minion makes a key for a CA that cannot sign
    await this.#turn();
    try {
      const before = inventory.get(name);
      if (before.cnOnly) throw notRenewed(name);
      const client = await this.#parts.client();
      try {
        const by = this.#issuerFor(before);
        await renewMinion(name, { client, authority, inventory, by });
      } finally {
        client.close();
      }
      const after = inventory.get(name);
      await onRenewed(before, after);
      this.#pauses.delete(name);
      const until = new Date(after.certificateNotAfterMs).toISOString();
      log.info("certificate renewed", { minion: name, until });
    } catch (error) {
      this.#pause(name, error);
      throw error;
    } finally {
      this.#active--;
      this.#waiting.shift()?.();
    }
  }

  /** Its certificate is of the CA that is being replaced, and it may have one of the new CA. */
  #isOutdated(minion: MinionRecord): boolean {
    const authority = this.#parts.authority();
    return this.#issuerFor(minion) === "next" && !authority?.isByNext(minion.certificateSerial);
  }

  /** A certificate of a CA that it does not know would be of no use to it. */
  #issuerFor(minion: MinionRecord): "present" | "next" {
    const isRenewing = this.#parts.authority()?.rotation.phase === "renewing";
    return isRenewing && this.#parts.knowsAuthorities(minion) ? "next" : "present";
  }

  async #turn(): Promise<void> {
    if (this.#active >= AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#active++;
  }

  #pause(name: string, error: unknown): void {
    const before = this.#pauses.get(name);
    const failures = (before?.failures ?? 0) + 1;
    const failure = { sinceMs: before?.sinceMs ?? Date.now(), problem: messageOf(error) };
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LAST_PAUSE_MS);
    const untilMs = Date.now() + pauseMs * (0.5 + Math.random());
    const untilReached = !(error instanceof FuncError) || UNREACHED.has(error.reason);
    this.#pauses.set(name, { ...failure, untilMs, failures, untilReached });
    if (!before) this.#parts.onFailed();
  }

  #isPaused(name: string): boolean {
    return (this.#pauses.get(name)?.untilMs ?? 0) > Date.now();
  }
}

function notRenewed(name: string): FuncError {
  return new FuncError(
    "unavailable",
    `${name} has a certificate of the original, with a common name only: these are not renewed.`,
    "Make it a minion of this version: func add-host.",
  );
}
