import { writeFile } from "node:fs/promises";
import { FuncError, messageOf } from "../../common/errors";
import { EXIT_OK } from "../exitStatus";
import type { CaCrl } from "../parseCaRevoke";
import type { Session } from "../session";

/** `func ca crl`: the X.509 revocation list, for other tools. */
export async function caCrl(session: Session, { out }: CaCrl): Promise<number> {
  const connection = await session.connect();
  const { pem } = await connection.request("certmaster/crl", {});
  if (out === undefined) {
    session.out.result(session.options.json ? `${JSON.stringify({ pem })}\n` : pem);
    return EXIT_OK;
  }
  try {
    await writeFile(out, pem);
  } catch (error) {
    throw new FuncError("unavailable", `${out} cannot be written: ${messageOf(error)}.`);
  }
  session.out.note(`Written to ${out}. It is valid for 30 days: export it again before that.\n`);
  return EXIT_OK;
}
