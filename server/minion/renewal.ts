import { createPrivateKey } from "node:crypto";
import { FuncError } from "../common/errors";
import { readAuthorities } from "../pki/certificates/certificateBundle";
import { keyFingerprint } from "../pki/certificates/identity";
import {
  checkRenewedCertificate,
  renewalRequest,
  type RenewalRequest,
} from "../pki/enrolment/renewal";
import { silentLog, type Log } from "../common/log";
import { SerialQueue } from "../common/serialQueue";
import { keepKeySuccession } from "./keySuccessions";
import { installCertificate, openNextKey, type MinionCredentials } from "./minionCredentials";

/** What a minion does for its certificate to be renewed. */
export class Renewal {
  readonly #queue: SerialQueue;

  constructor(
    private readonly pkiFolder: string,
    /** What the minion serves with at this moment. */
    private readonly present: () => MinionCredentials | undefined,
    /** Serves with these from the next connection on. */
    private readonly use: (credentials: MinionCredentials) => void,
    /** One step at a time: a second request must not change the key that the first one's certificate is for. */
    queue = new SerialQueue(),
    private readonly log: Log = silentLog,
  ) {
    this.#queue = queue;
  }

  /** Makes the next key, or takes the one of an earlier request that came to nothing. */
  request(): Promise<RenewalRequest> {
    return this.#queue.run(async () => {
      const present = this.#enrolled();
      return renewalRequest(present.name, present, await openNextKey(this.pkiFolder));
    });
  }

  /**
   * Goes over to the next key with this certificate, which must be of this minion, for that key, and from a CA
   * that is trusted already; `ca` is the one that issued it. Answers the new key's fingerprint; the same
   * certificate may come again. Throws FuncError "bad-argument".
   */
  install(certificate: string, ca: string): Promise<string> {
    return this.#queue.run(async () => {
      const present = this.#enrolled();
      if (certificate === present.certificate) return fingerprintOf(present.key);
      const key = await openNextKey(this.pkiFolder);
      const checked = checkRenewedCertificate(certificate, {
        name: present.name,
        key,
        authorities: trusted(present.ca, ca),
      });
      // first: what leads to a key that is not in use yet is not counted
      const successions = await keepKeySuccession(this.pkiFolder, present, key, this.log);
      await installCertificate(this.pkiFolder, checked);
      this.use({ ...present, key, certificate: checked, successions });
      return fingerprintOf(key);
    });
  }

  #enrolled(): MinionCredentials {
    const present = this.present();
    if (present) return present;
    throw new FuncError("unavailable", "This minion is not enrolled.");
  }
}

/** Those of `given` that are trusted already. */
function trusted(present: string, given: string): ReturnType<typeof readAuthorities> {
  const known = new Set(readAuthorities(present).map(({ fingerprint256 }) => fingerprint256));
  return readAuthorities(given).filter(({ fingerprint256 }) => known.has(fingerprint256));
}

function fingerprintOf(key: string): string {
  return keyFingerprint(createPrivateKey(key));
}
