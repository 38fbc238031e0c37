import { resolve } from "node:path";
import { FuncError } from "../../common/errors";
import { importAuthorityFiles, type AuthorityImport } from "./authorityImport";
import { CertificateAuthority } from "./certificateAuthority";

export type { AuthorityImport } from "./authorityImport";

/**
 * Makes an existing CA the one in `folder`. Throws FuncError as `importAuthorityFiles`, and "conflict" where there
 * is a CA.
 */
export async function importAuthority(
  folder: string,
  given: AuthorityImport,
): Promise<CertificateAuthority> {
  const absolute = resolve(folder);
  if (await CertificateAuthority.open(absolute)) {
    throw new FuncError(
      "conflict",
      `There is a CA in ${folder} already: it is never replaced.`,
      "Use another data directory (--home), or FUNC_HOME.",
    );
  }
  await importAuthorityFiles(absolute, given);
  const authority = await CertificateAuthority.open(absolute);
  if (!authority) throw new FuncError("internal", `No CA came about in ${folder}.`);
  if (given.passphrase !== undefined) await authority.lock.unlock(given.passphrase);
  return authority;
}
