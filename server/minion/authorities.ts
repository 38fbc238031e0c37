import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { writeFileAtomic } from "../common/atomicFile";
import { FuncError, messageOf } from "../common/errors";
import type { Log } from "../common/log";
import { authoritiesPem, readAuthoritiesDocument } from "../pki/documents/authoritiesDocument";
import { readAuthorities } from "../pki/certificates/certificateBundle";
import { isIssuedBy } from "../pki/enrolment/renewal";
import { verifyRevocationList } from "../pki/documents/revocationList";
import type { SerialQueue } from "../common/serialQueue";
import { AUTHORITIES_FILE, CA_FILE, type MinionCredentials } from "./minionCredentials";

const Stored = v.object({ version: v.literal(1), document: v.string() });

export interface AuthoritiesParts {
  pkiFolder: string;
  /** What the minion serves with at this moment. */
  present: () => MinionCredentials | undefined;
  /** Serves with these from the next connection on. */
  use: (credentials: MinionCredentials) => void;
  /** The revocation list that counts here, as it was signed; "" where there never was one. */
  revocationList: () => string;
  /** Shared with whatever else changes the credentials. */
  queue: SerialQueue;
  log: Log;
}

/**
 * Which CAs this minion trusts: `<home>/pki/authorities.json`, as the overlord's CA has signed it, and `ca.crt`,
 * which is made of it. Without that file it is the CA of the enrolment.
 */
export class Authorities {
  readonly #parts: AuthoritiesParts;
  /** The CAs under which each certificate was found good: as PEM, which is the same object until they change. */
  readonly #good = new WeakMap<X509Certificate, string>();

  constructor(parts: AuthoritiesParts) {
    this.#parts = parts;
  }

  /** Throws FuncError "denied" where the certificate comes from a CA that is not trusted any more. */
  check(certificate: X509Certificate | undefined): void {
    const ca = this.#parts.present()?.ca;
    if (!certificate || ca === undefined || this.#good.get(certificate) === ca) return;
    if (!readAuthorities(ca).some((authority) => isIssuedBy(certificate, authority))) {
      throw new FuncError("denied", "its certificate comes from a CA that is not trusted any more");
    }
    this.#good.set(certificate, ca);
  }

  /** The number of the document that counts here; 0 where there never was one. */
  async number(): Promise<number> {
    return (await readStored(this.#parts.pkiFolder).catch(() => undefined))?.number ?? 0;
  }

  /**
   * Trusts the CAs that this document names, from the next connection on, and keeps it; gives its number. The same
   * one may come again. Throws FuncError "bad-data" or "denied" where no CA that is trusted has signed it, "conflict"
   * where a newer one counts, or where this minion could not serve under it.
   */
  set(document: string): Promise<number> {
    const { pkiFolder, present: presentOf, use, queue, log } = this.#parts;
    return queue.run(async () => {
      const present = presentOf();
      if (!present) throw new FuncError("unavailable", "This minion is not enrolled.");
      const { number, authorities } = readAuthoritiesDocument(
        document,
        readAuthorities(present.ca),
      );
      const kept = await readStored(pkiFolder).catch(() => undefined);
      if (kept && number < kept.number) {
        throw new FuncError(
          "conflict",
          `the list of CAs ${number} is older than ${kept.number}, which this minion has`,
        );
      }
      this.#refuseUnfit(present, authorities);
      const ca = authoritiesPem(authorities);
      // the document first: where this ends before the other file is written, the next start does that
      const content = `${JSON.stringify({ version: 1, document })}\n`;
      await writeFileAtomic(join(pkiFolder, AUTHORITIES_FILE), content);
      await writeFileAtomic(join(pkiFolder, CA_FILE), ca, 0o644);
      if (ca !== present.ca) {
        use({ ...present, ca });
        log.info("trusted CAs changed", { number, of: authorities.length });
      }
      return number;
    });
  }

  /** Nobody could reach this minion, or it could not start any more. */
  #refuseUnfit(present: MinionCredentials, authorities: readonly X509Certificate[]): void {
    const own = new X509Certificate(present.certificate);
    if (!authorities.some((authority) => isIssuedBy(own, authority))) {
      throw new FuncError(
        "conflict",
        "this minion's own certificate comes from none of these CAs: it has to be renewed first",
      );
    }
    const list = this.#parts.revocationList();
    if (list !== "") verifyRevocationList(list, authorities);
  }
}

/**
 * Before the credentials are read: where `authorities.json` was written and `ca.crt` was not, does that. A damaged
 * one is told and left: what `ca.crt` says counts then, and the overlord sends the document again.
 */
export async function completeAuthorities(pkiFolder: string, log: Log): Promise<void> {
  try {
    const stored = await readStored(pkiFolder);
    if (!stored) return;
    const ca = authoritiesPem(stored.authorities);
    const file = join(pkiFolder, CA_FILE);
    const present = await readFile(file, "utf8").catch(() => "");
    if (present !== ca) await writeFileAtomic(file, ca, 0o644);
  } catch (error) {
    const file = join(pkiFolder, AUTHORITIES_FILE);
    log.error("the list of trusted CAs is damaged, ca.crt counts", {
      file,
      problem: messageOf(error),
    });
  }
}

async function readStored(
  pkiFolder: string,
): Promise<ReturnType<typeof readAuthoritiesDocument> | undefined> {
  let content: string;
  try {
    content = await readFile(join(pkiFolder, AUTHORITIES_FILE), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  return readAuthoritiesDocument(v.parse(Stored, JSON.parse(content)).document);
}
