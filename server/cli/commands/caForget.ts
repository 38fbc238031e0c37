import { readLine } from "../../common/readLine";
import { atItsOverlord } from "../atItsOverlord";
import { needPerson } from "../needPerson";
import { EXIT_FAILED, EXIT_OK } from "../exitStatus";
import { firstNames } from "../firstNames";
import { noteGroups } from "../noteGroups";
import type { Session } from "../session";

/**
 * `func ca forget NAME...`: takes minions out of the inventory and revokes what they have, once a person has
 * agreed. Throws "no-match" where a name is unknown, "bad-argument" where nobody can be asked and `yes` is not set.
 */
export async function caForget(session: Session, names: string[], yes: boolean): Promise<number> {
  const connection = await session.connect();
  // all or nothing: a misspelt name must not go unnoticed
  await atItsOverlord(connection, names, "func ca forget", () =>
    connection.request("minions/match", { spec: names.join(";") }),
  );
  const what = `${names.length === 1 ? "1 minion" : `${names.length} minions`} (${firstNames(names)})`;
  if (!yes) {
    needPerson(`whether to forget ${what}`);
    session.out.note(`Forget ${what}, and revoke what they have? [y/N] `);
    if (!/^y(es)?$/i.test((await readLine()).trim())) {
      session.out.note("Nothing is forgotten.\n");
      return EXIT_FAILED;
    }
  }
  const { forgotten } = await connection.request("minions/forget", { names });
  if (session.options.json) session.out.result(`${JSON.stringify({ forgotten })}\n`);
  session.out.note(
    `Forgotten: ${forgotten.join(", ")}. Their certificates are revoked; a host with a new key may have such a name.\n`,
  );
  await noteGroups(session, connection, forgotten);
  return EXIT_OK;
}
