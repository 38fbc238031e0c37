import { FuncError, messageOf } from "../common/errors";
import type { Log } from "../common/log";
import type { CertificateAuthority } from "../pki/authority/certificateAuthority";
import type { Certmaster } from "../pki/certmaster/certmaster";
import { SerialQueue } from "../common/serialQueue";
import type { RotateParams, RotationStatus } from "../protocol/certmaster";
import type { MinionRecord } from "../protocol/minions";
import type { Inventory } from "../targets/inventory";
import { overlordName, type FleetCredentials } from "./fleetCredentials";
import type { Renewals } from "./renewals";
import type { RevocationPusher } from "./revocationPusher";

/** Whoever starts or ends a rotation waits no longer for minions: the others are told when they answer. */
const TELL_MS = 5_000;
const SENT_MS = 5_000;
/** Minions that come to know something together are one change. */
const SOON_MS = 100;
const MAX_NAMED = 20;

export interface CaRotationParts {
  inventory: Inventory;
  credentials: FleetCredentials;
  certmaster: Certmaster;
  pusher: RevocationPusher;
  renewals: Renewals;
  /** Clients are told that something of the certificates is different. */
  changed: () => void;
  log: Log;
}

/**
 * Replaces the CA while the fleet is in use. Minions are told to trust both; those that do get certificates of the
 * new one; once all do, so does the overlord; at the end, which an operator decides on, the old one goes. What
 * is done is in the CA's folder, what minions know is found out again: it goes on after a restart.
 */
export class CaRotation {
  readonly #queue = new SerialQueue();
  #everyoneWasTried = false;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(private readonly parts: CaRotationParts) {
    parts.pusher.onTold((everyoneWasTried) => {
      this.#everyoneWasTried ||= everyoneWasTried;
      this.#soon();
    });
  }

  /** Goes on where the last overlord ended. */
  resume(): void {
    if (this.#authority()?.rotation.isSpread === false) this.parts.pusher.tellSoon();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** Undefined while no CA is being replaced. */
  status(): RotationStatus | undefined {
    const authority = this.#authority();
    const { phase, nextFingerprint } = authority?.rotation ?? {};
    if (!authority || phase === undefined || nextFingerprint === undefined) return undefined;
    const untold = this.#untold().map(({ name }) => name);
    return {
      phase: phase === "telling" ? "telling" : "renewing",
      newFingerprint: nextFingerprint,
      told: this.parts.inventory.size - untold.length,
      untold,
      missing: this.#missing(authority).map(({ name }) => name),
    };
  }

  /** Runs `task` while no step of a rotation is taken: a copy of the data directory has to be of one moment. */
  between<T>(task: () => Promise<T>): Promise<T> {
    return this.#queue.run(task);
  }

  /** Throws FuncError "not-found" where there is nothing to replace, "conflict", "unavailable" while it is locked. */
  run({ action, passphrase, without = [] }: RotateParams): Promise<void> {
    return this.#queue.run(async () => {
      const authority = this.#authority();
      if (!authority) throw new FuncError("not-found", "There is no CA yet.");
      authority.lock.get();
      if (action === "start") await this.#start(authority, passphrase);
      if (action === "abort") await this.#abort(authority);
      if (action === "finish") await this.#finish(authority, without);
      this.parts.changed();
      await this.parts.pusher.tellAll(TELL_MS);
    });
  }

  async #start(authority: CertificateAuthority, passphrase: string | undefined): Promise<void> {
    this.#everyoneWasTried = false;
    await authority.startRotation(overlordName(), passphrase);
    await this.parts.credentials.renewOwn();
    const { nextFingerprint } = authority.rotation;
    this.parts.log.info("the CA is being replaced", { next: nextFingerprint });
  }

  async #abort(authority: CertificateAuthority): Promise<void> {
    await authority.abortRotation();
    await this.parts.credentials.renewOwn();
    await this.parts.certmaster.authorityChanged();
    this.parts.log.info("the CA stays");
  }

  async #finish(authority: CertificateAuthority, without: readonly string[]): Promise<void> {
    const { credentials, certmaster, log } = this.parts;
    if (authority.rotation.phase === undefined) {
      throw new FuncError("not-found", "The CA is not being replaced.");
    }
    const agreed = new Set(without);
    const missing = this.#missing(authority).filter(({ name }) => !agreed.has(name));
    if (missing.length > 0) throw stillMissing(missing);
    if (!authority.rotation.isOwnNext) await credentials.useNextAuthority();
    // minions refuse what comes under the old one's certificate afterwards
    await credentials.untilSent(SENT_MS);
    await authority.finishRotation();
    await credentials.renewOwn();
    await certmaster.authorityChanged();
    log.info("the CA is replaced", { ca: authority.fingerprint, without: without.length });
  }

  #soon(): void {
    if (this.#closed || this.#authority()?.rotation.isSpread !== false) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#queue
        .run(() => this.#advance())
        .catch((error: unknown) => {
          const problem = messageOf(error);
          this.parts.log.error("the replacement of the CA does not go on", { problem });
        });
    }, SOON_MS).unref();
  }

  async #advance(): Promise<void> {
    const authority = this.#authority();
    if (!authority || this.#closed) return;
    const { rotation } = authority;
    const everyoneKnows = this.#untold().length === 0;
    if (rotation.phase === undefined) {
      if (everyoneKnows) await rotation.noteSpread();
      return;
    }
    if (authority.lock.isLocked) return;
    if (rotation.phase === "telling" && this.#everyoneWasTried) await rotation.renew();
    if (rotation.phase === "telling") return;
    if (everyoneKnows && !rotation.isOwnNext) await this.parts.credentials.useNextAuthority();
    this.parts.changed();
    void this.parts.renewals.look();
  }

  #authority(): CertificateAuthority | undefined {
    return this.parts.credentials.existingAuthority();
  }

  /** Who does not trust every CA that is trusted here, as far as is known. */
  #untold(): MinionRecord[] {
    const { inventory, pusher } = this.parts;
    return inventory.list().filter((minion) => !pusher.knowsAuthorities(minion));
  }

  /** Who has no certificate of the new CA, and would be lost without the old one. */
  #missing(authority: CertificateAuthority): MinionRecord[] {
    const { inventory } = this.parts;
    return inventory.list().filter((minion) => !authority.isByNext(minion.certificateSerial));
  }
}

function stillMissing(missing: readonly MinionRecord[]): FuncError {
  const names = missing.slice(0, MAX_NAMED).map(({ name }) => name);
  const more = missing.length - names.length;
  return new FuncError(
    "conflict",
    `${missing.length === 1 ? "1 minion has" : `${missing.length} minions have`} no certificate of the new CA yet: ${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}.`,
    "Wait until they can be reached (func ca rotate --status); or give them up: func ca rotate --finish --without-those-missing. They have to be enrolled anew then.",
  );
}
