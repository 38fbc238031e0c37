import type { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { writeFileAtomic } from "../common/atomicFile";
import { FuncError, messageOf } from "../common/errors";
import type { Log } from "../common/log";
import { readAuthorities } from "../pki/certificates/certificateBundle";
import type { Caller } from "./minionModule";
import {
  digestOfList,
  LIST_WANTED_FAULT,
  missingIn,
  verifyRevocationList,
  type RevokedCertificate,
  type SignedRevocationList,
} from "../pki/documents/revocationList";
import { SerialQueue } from "../common/serialQueue";
import { RpcFault } from "../wire/rpcFault";

/** A list that takes the place of a damaged one must be newer: an old one could let somebody in again. */
const FRESH_MS = 60 * 60_000;
/** What may be called, and by an overlord only, while the list is damaged. */
const ALWAYS_SERVED = /^(?:async\.)?trust\.\w+$/;

const Stored = v.object({ version: v.literal(1), document: v.string() });

export interface RevocationStatus {
  /** Of the list that counts here; 0 where there never was one. */
  number: number;
  issuedAtMs?: number;
  /** Certificates in the list. */
  revoked: number;
  /** Of the keys in it, see `digestOfList`; "" where there never was one. */
  digest: string;
  /** False where it counts until funcd ends only: it could not be written. */
  kept: boolean;
  /** Why the stored list cannot be used, where it cannot. */
  damage?: string;
}

/** The answer to a call that is held back: an overlord of ours sends the list, and calls again. */
export function listWanted(): RpcFault {
  return new RpcFault(
    LIST_WANTED_FAULT,
    "<class 'func.minion.codes.AccessToMethodDenied'>: the revocation list of this minion is damaged, and it waits for an overlord to send it again",
  );
}

/**
 * The revocation list of this minion, in `<home>/pki/revocations.json`. Without that file nobody is revoked.
 * Where it is damaged nobody can know who is: then overlords alone are let in, to `trust.*` alone, until one
 * of them brings a list.
 */
export class Revocations {
  readonly #file: string;
  readonly #queue = new SerialQueue();
  #list: SignedRevocationList | undefined;
  #byKey = new Map<string, RevokedCertificate>();
  #damage: string | undefined;
  #kept = true;
  #onApplied: () => void = () => undefined;

  private constructor(
    private readonly pkiFolder: string,
    private readonly log: Log,
  ) {
    this.#file = join(pkiFolder, "revocations.json");
  }

  /** Never throws: what is wrong with the stored list is in `status()` and in the log. */
  static async open(pkiFolder: string, log: Log): Promise<Revocations> {
    const revocations = new Revocations(pkiFolder, log);
    try {
      await revocations.#load();
    } catch (error) {
      revocations.#damage = messageOf(error);
      log.error("the revocation list is damaged: only overlords are let in, to send it again", {
        file: revocations.#file,
        problem: messageOf(error),
      });
    }
    return revocations;
  }

  /** Called after each new list, to look at the open connections again. */
  onApplied(listener: () => void): void {
    this.#onApplied = listener;
  }

  /** Throws FuncError "denied" where the holder of this certificate must not be let in. */
  check({ role, name, keyFingerprint }: Omit<Caller, "address">): void {
    const revoked = this.#byKey.get(keyFingerprint);
    if (revoked) {
      throw new FuncError(
        "denied",
        `the certificate of ${role} ${name} is revoked since ${new Date(revoked.atMs).toISOString()} (list ${this.#list?.number ?? 0})`,
      );
    }
    if (this.#damage !== undefined && role !== "overlord") {
      throw new FuncError(
        "denied",
        `${role} ${name} is not let in: the revocation list of this minion is damaged (${this.#damage})`,
      );
    }
  }

  /** True while this method waits until a list has taken the place of the damaged one. */
  holdsBack(method: string): boolean {
    return this.#damage !== undefined && !ALWAYS_SERVED.test(method);
  }

  status(): RevocationStatus {
    return {
      number: this.#list?.number ?? 0,
      issuedAtMs: this.#list?.issuedAtMs,
      revoked: this.#list?.revoked.length ?? 0,
      digest: this.#list ? digestOfList(this.#list) : "",
      kept: this.#kept,
      damage: this.#damage,
    };
  }

  /** The list that counts here, as it was signed; "" where there never was one. */
  document(): string {
    return this.#list?.document ?? "";
  }

  /**
   * Applies a list at once and keeps it; gives its number. Throws FuncError "bad-data" or "denied" where it is
   * none of our CA's, "conflict" where a newer one counts already or it lacks what the present one
   * revokes, "unavailable" where it counts from now on
   * but cannot be kept.
   */
  set(document: string): Promise<number> {
    return this.#queue.run(async () => {
      const list = verifyRevocationList(document, await this.#authorities());
      this.#refuseOld(list);
      this.#apply(list);
      this.#damage = undefined;
      this.#kept = false;
      this.log.info("revocation list applied", { number: list.number, of: list.revoked.length });
      this.#onApplied();
      try {
        await writeFileAtomic(this.#file, `${JSON.stringify({ version: 1, document })}\n`);
        this.#kept = true;
      } catch (error) {
        throw new FuncError(
          "unavailable",
          `revocation list ${list.number} counts until funcd ends, but cannot be kept in ${this.#file}: ${messageOf(error)}`,
          "Make room on that disk, or look at the folder's owner and mode.",
        );
      }
      return list.number;
    });
  }

  #refuseOld(list: SignedRevocationList): void {
    const { number, issuedAtMs } = list;
    const present = this.#list?.number ?? 0;
    if (number < present) {
      throw new FuncError(
        "conflict",
        `revocation list ${number} is older than ${present}, which this minion has`,
      );
    }
    this.#refuseOther(list);
    if (this.#damage !== undefined && Math.abs(Date.now() - issuedAtMs) > FRESH_MS) {
      throw new FuncError(
        "conflict",
        `revocation list ${number} was issued at ${new Date(issuedAtMs).toISOString()}, but the one here is damaged, so only one of the last hour is taken`,
        "Compare the clocks of overlord and minion.",
      );
    }
  }

  /** Of an overlord that has forgotten revocations: it merges what `document()` says, and comes again. */
  #refuseOther(list: SignedRevocationList): void {
    if (!this.#list) return;
    const [missing] = missingIn(list, this.#list);
    if (missing) {
      throw new FuncError(
        "conflict",
        `revocation list ${list.number} lacks ${missing.role} ${missing.name}, whom list ${this.#list.number} of this minion revokes`,
      );
    }
    if (list.number === this.#list.number && digestOfList(list) !== digestOfList(this.#list)) {
      throw new FuncError(
        "conflict",
        `revocation list ${list.number} is another one than list ${list.number} of this minion`,
      );
    }
  }

  async #load(): Promise<void> {
    let content: string;
    try {
      content = await readFile(this.#file, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
      throw error;
    }
    const { document } = v.parse(Stored, JSON.parse(content));
    this.#apply(verifyRevocationList(document, await this.#authorities()));
  }

  #apply(list: SignedRevocationList): void {
    this.#list = list;
    this.#byKey = new Map(list.revoked.map((revoked) => [revoked.keyFingerprint, revoked]));
  }

  async #authorities(): Promise<X509Certificate[]> {
    return readAuthorities(await readFile(join(this.pkiFolder, "ca.crt"), "utf8"));
  }
}
