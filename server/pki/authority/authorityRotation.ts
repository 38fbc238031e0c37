import type { KeyObject, X509Certificate } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { FuncError } from "../../common/errors";
import { certificateFingerprint } from "../certificates/certificate";
import { authoritiesPem, signAuthorities } from "../documents/authoritiesDocument";
import { createNextAuthority, replaceByNext, type Signer } from "./authorityFiles";
import { nextFolder, writeRotation, type RotationPhase, type RotationState } from "./rotationFile";

/**
 * The CA of a fleet, and while it is replaced the one that takes its place: both are trusted then. Each step is
 * one write of `rotation.json`, which says after a crash how far this has come.
 */
export class AuthorityRotation {
  #present: Signer;
  #next: Signer | undefined;
  #state: RotationState | undefined;

  constructor(
    private readonly folder: string,
    files: { present: Signer; next?: Signer; state?: RotationState },
  ) {
    this.#present = files.present;
    this.#next = files.next;
    this.#state = files.state;
  }

  get present(): Signer {
    return this.#present;
  }

  get next(): Signer | undefined {
    return this.#next;
  }

  /** Undefined while no CA is being replaced. */
  get phase(): RotationPhase | undefined {
    return this.#state?.phase;
  }

  /** The overlord itself shows a certificate of the new CA. */
  get isOwnNext(): boolean {
    return this.#next !== undefined && this.#state?.own === true;
  }

  /** False while minions may have to be told what the last rotation changed. */
  get isSpread(): boolean {
    return this.#state === undefined || this.#state.spread === true;
  }

  /** Of the document that tells minions which CAs to trust; 0 before the first rotation. */
  get number(): number {
    return this.#state?.number ?? 0;
  }

  get document(): string {
    return this.#state?.document ?? "";
  }

  get nextFingerprint(): string | undefined {
    return this.#next && certificateFingerprint(this.#next.certificate);
  }

  /** The certificates of all CAs that are trusted, the present one first. */
  get trusted(): X509Certificate[] {
    return this.#signers().map(({ certificate }) => certificate);
  }

  /** PEM of `trusted`. */
  get trustedPem(): string {
    return authoritiesPem(this.trusted);
  }

  /** Throws FuncError "conflict" while a host that can know the present CA only would soon be lost. */
  refuseOld(name: string): void {
    if (!this.#next) return;
    throw new FuncError(
      "conflict",
      `The CA is being replaced: ${name}, which has a certificate of the old one and cannot be told, would be lost.`,
      "Make it a minion of this version: func add-host.",
    );
  }

  /** The keys of all CAs that are trusted. Throws FuncError "unavailable" while they are locked. */
  keys(): KeyObject[] {
    return this.#signers().map(({ key }) => key.get());
  }

  /** Throws as `AuthorityKey.unlock`. */
  async unlock(passphrase: string): Promise<void> {
    for (const { key } of this.#signers()) await key.unlock(passphrase);
  }

  /** Throws as `AuthorityKey.setPassphrase`, and "conflict" while there are two keys. */
  async setPassphrase(old: string, next: string): Promise<void> {
    if (this.#next) {
      throw new FuncError(
        "conflict",
        "The CA is being replaced: its passphrase stays as it is until that is over.",
        "Finish it with: func ca rotate --finish",
      );
    }
    await this.#present.key.setPassphrase(old, next);
  }

  /**
   * Makes a new CA, which is trusted from then on and issues nothing yet. `name` is for people. Throws FuncError
   * "conflict" where one is there already, "unavailable" while the present one is locked, "bad-argument" where
   * its key is encrypted and there is no passphrase, else as `AuthorityKey.unlock`.
   */
  async start(name: string, passphrase: string | undefined): Promise<void> {
    if (this.#next) {
      throw new FuncError(
        "conflict",
        "The CA is being replaced already.",
        "Look how far that is: func ca rotate --status",
      );
    }
    const { key, certificate } = this.#present;
    const signer = key.get();
    if (key.isEncrypted) {
      if (passphrase === undefined) {
        throw new FuncError("bad-argument", "The new CA's key takes the CA's passphrase.");
      }
      await key.checkPassphrase(passphrase);
    }
    const next = await createNextAuthority(
      this.folder,
      name,
      key.isEncrypted ? passphrase : undefined,
    );
    const number = this.number + 1;
    const authorities = [certificate, next.certificate];
    const document = signAuthorities({ number, authorities }, [signer]);
    await this.#write({ phase: "telling", number, document }, next);
  }

  /** The new CA issues certificates from now on. */
  async renew(): Promise<void> {
    const state = this.#going();
    await this.#write({ ...state, phase: "renewing" });
  }

  /** The overlord shows a certificate of the new CA from now on: every minion was told. */
  async useOwnNext(): Promise<void> {
    await this.#write({ ...this.#going(), phase: "renewing", own: true });
  }

  /** The new CA issues nothing for minions any more. */
  async pause(): Promise<void> {
    await this.#write({ ...this.#going(), phase: "telling" });
  }

  /** Every minion was told of the end. */
  async noteSpread(): Promise<void> {
    if (this.#state && !this.#next) await this.#write({ ...this.#state, spread: true });
  }

  /** The new CA takes the place of the old one, whose key is deleted. */
  async finish(): Promise<void> {
    const { number } = this.#going();
    const next = this.#next;
    if (!next) throw notGoing();
    const after = number + 1;
    const document = signAuthorities({ number: after, authorities: [next.certificate] }, [
      next.key.get(),
    ]);
    await this.#write({ phase: "finishing", number: after, document });
    this.#state = await replaceByNext(this.folder, { number: after, document });
    next.key.movedTo(join(this.folder, "ca.key"));
    this.#present = next;
    this.#next = undefined;
  }

  /** The new CA is not trusted any more. For when nothing was issued by it. */
  async abort(): Promise<void> {
    const { certificate, key } = this.#present;
    const number = this.#going().number + 1;
    const document = signAuthorities({ number, authorities: [certificate] }, [key.get()]);
    await this.#write({ number, document });
    this.#next = undefined;
    await rm(nextFolder(this.folder), { recursive: true, force: true });
  }

  #going(): RotationState {
    if (!this.#next || !this.#state) throw notGoing();
    return this.#state;
  }

  async #write(state: RotationState, next = this.#next): Promise<void> {
    await writeRotation(this.folder, state);
    this.#state = state;
    this.#next = next; // both at once: who sees the new number signs by the new CA too
  }

  #signers(): Signer[] {
    return this.#next ? [this.#present, this.#next] : [this.#present];
  }
}

function notGoing(): FuncError {
  return new FuncError(
    "not-found",
    "The CA is not being replaced.",
    "Begin that with: func ca rotate",
  );
}
