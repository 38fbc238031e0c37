import { createPublicKey, type KeyObject } from "node:crypto";
import { writeFileAtomic } from "../../common/atomicFile";
import { FuncError, messageOf } from "../../common/errors";
import { SerialQueue } from "../../common/serialQueue";
import { decryptKey, encryptKey, isEncryptedKey } from "../certificates/encryptedKey";
import { workingKey } from "../certificates/keyFiles";

/** Shorter ones are found by trying. */
const MIN_PASSPHRASE = 8;
/** After a wrong passphrase the next one has to wait, twice as long each time. */
const FIRST_WAIT_MS = 500;
const LAST_WAIT_MS = 60_000;

/**
 * The private key of a CA, and its file. Where that is encrypted, the key is there only once the passphrase was
 * given, and until this process ends; the passphrase itself is not kept.
 */
export class AuthorityKey {
  readonly #queue = new SerialQueue();
  #pem: string;
  #key: KeyObject | undefined;
  #wrong = 0;
  #nextTryMs = 0;

  /** `pem`: the content of `file`. Throws Error where it is damaged. */
  constructor(
    private file: string,
    pem: string,
    /** Of the CA's certificate: a key that does not belong to it is none. */
    private readonly publicKey: KeyObject,
  ) {
    this.#pem = pem;
    if (!isEncryptedKey(pem)) this.#key = this.#fitting(workingKey(pem));
  }

  get isEncrypted(): boolean {
    return isEncryptedKey(this.#pem);
  }

  get isLocked(): boolean {
    return this.#key === undefined;
  }

  /** The key. Throws FuncError "unavailable" while it is locked. */
  get(): KeyObject {
    if (this.#key) return this.#key;
    throw new FuncError(
      "unavailable",
      "The CA is locked: its key is encrypted, and the passphrase was not given yet.",
      "Unlock it with: func ca unlock",
    );
  }

  /**
   * Throws FuncError "denied" for a wrong passphrase, "unavailable" where another was wrong a moment ago,
   * "bad-data" where the file is damaged.
   */
  unlock(passphrase: string): Promise<void> {
    return this.#queue.run(async () => {
      if (this.#key) return;
      this.#key = await this.#open(passphrase);
    });
  }

  /**
   * Encrypts the file with `next`; an empty one leaves it unencrypted. `old`: the present passphrase, where there
   * is one, also while the key is unlocked. Throws as `unlock`, and "bad-argument" for a short passphrase.
   */
  setPassphrase(old: string, next: string): Promise<void> {
    return this.#queue.run(async () => {
      if (next !== "" && [...next].length < MIN_PASSPHRASE) {
        throw new FuncError(
          "bad-argument",
          `The passphrase is too short: it takes at least ${MIN_PASSPHRASE} characters.`,
        );
      }
      const key = this.isEncrypted ? await this.#open(old) : this.get();
      const pem =
        next === ""
          ? key.export({ type: "pkcs8", format: "pem" }).toString()
          : await encryptKey(key, normalized(next));
      await writeFileAtomic(this.file, pem);
      this.#pem = pem;
      this.#key = key;
    });
  }

  /** Throws as `unlock` where this is not the passphrase. */
  checkPassphrase(passphrase: string): Promise<void> {
    return this.#queue.run(async () => {
      await this.#open(passphrase);
    });
  }

  /** Its file lies there now. */
  movedTo(file: string): void {
    this.file = file;
  }

  async #open(passphrase: string): Promise<KeyObject> {
    const waitMs = this.#nextTryMs - Date.now();
    if (waitMs > 0) {
      throw new FuncError(
        "unavailable",
        "A wrong passphrase was given a moment ago.",
        `Try again in ${Math.ceil(waitMs / 1000)} s.`,
      );
    }
    let key: KeyObject;
    try {
      key = await decryptKey(this.#pem, normalized(passphrase));
    } catch (error) {
      this.#nextTryMs = Date.now() + Math.min(FIRST_WAIT_MS * 2 ** this.#wrong++, LAST_WAIT_MS);
      throw new FuncError(
        "denied",
        `The passphrase is wrong, or ${this.file} is damaged.`,
        "Give the passphrase that was set with: func ca passphrase",
        { cause: error },
      );
    }
    this.#wrong = 0;
    try {
      return this.#fitting(key);
    } catch (error) {
      throw new FuncError(
        "bad-data",
        `${this.file} is damaged: ${messageOf(error)}.`,
        "Restore it from a backup.",
      );
    }
  }

  #fitting(key: KeyObject): KeyObject {
    if (createPublicKey(key).equals(this.publicKey)) return key;
    throw new Error("it is not the key of the CA's certificate");
  }
}

/** The same characters typed on another keyboard are the same passphrase. */
function normalized(passphrase: string): string {
  return passphrase.normalize("NFC");
}
