import { defaultFuncdHome } from "../../common/funcdHome";
import { EXIT_OK } from "../exitStatus";
import { LocalFuncd } from "../localFuncd";
import type { Session } from "../session";
import { installedService, removeService } from "./overlordService";

/**
 * `func suboverlord remove`: overlords above reach nobody through this host any more. The data directory stays, with
 * its CA and minions.
 */
export async function subOverlordRemove(
  session: Session,
  { funcdHome }: { funcdHome?: string },
): Promise<number> {
  const funcd = new LocalFuncd(funcdHome ?? defaultFuncdHome(process.env));
  await funcd.requireOwn();
  const named = await funcd.subOverlord();
  if (named === undefined) {
    session.out.note(`${funcd.configurationFile} names no overlord: nothing is to be done.\n`);
    return EXIT_OK;
  }
  await funcd.setSubOverlord(undefined);
  session.out.note(`${funcd.configurationFile} names no overlord any more.\n`);
  const service = await installedService();
  if (service?.dataDirectory === named) await removeService(session, named);
  session.out.note(
    `${named} stays as it is, with its CA and its minions. At the overlord above: func build-map\n`,
  );
  return EXIT_OK;
}
