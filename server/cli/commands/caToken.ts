import { utcTime } from "../../common/utcTime";
import type { CreateTokenParams } from "../../protocol/certmaster";
import { askCa } from "../askCa";
import { EXIT_OK } from "../exitStatus";
import type { Session } from "../session";

/** `func ca token`, of this overlord or the sub-overlord at the end of a path: the token alone on stdout, so that it can be piped to a host. */
export async function caToken(
  session: Session,
  at: readonly string[] = [],
  params: CreateTokenParams,
): Promise<number> {
  const connection = await session.connect();
  const token = await askCa(connection, at, "certmaster/createToken", params);
  session.out.result(session.options.json ? `${JSON.stringify(token)}\n` : `${token.token}\n`);
  session.out.note(
    `Valid once, until ${utcTime(token.expiresAtMs)}, by way of ${token.addresses.join(", ")}.\n` +
      "On the new host, with dist/funcd.js of this package: node funcd.js join TOKEN, then node funcd.js.\n" +
      (at.length > 0 ? "Then here, so that calls reach it: func build-map.\n" : ""),
  );
  return EXIT_OK;
}
