import type { CreateTokenParams } from "../../protocol/certmaster";
import { EXIT_OK } from "../exitStatus";
import { renderTable } from "../render";
import type { Session } from "../session";

/** `func ca token`: the token alone on stdout, so that it can be piped to a host. */
export async function caToken(session: Session, params: CreateTokenParams): Promise<number> {
  const connection = await session.connect();
  const token = await connection.request("certmaster/createToken", params);
  session.out.result(session.options.json ? `${JSON.stringify(token)}\n` : `${token.token}\n`);
  session.out.note(
    `Valid once, until ${time(token.expiresAtMs)}, by way of ${token.addresses.join(", ")}.\n` +
      `On the new host: funcd join TOKEN, then start funcd.\n`,
  );
  return EXIT_OK;
}

/** `func ca list`: the CA, its certificates and the open tokens. */
export async function caList(session: Session): Promise<number> {
  const connection = await session.connect();
  const { caFingerprint, certificates, tokens } = await connection.request("certmaster/list", {});
  if (session.options.json) {
    session.out.result(`${JSON.stringify({ caFingerprint, certificates, tokens })}\n`);
    return EXIT_OK;
  }
  if (caFingerprint === undefined) {
    session.out.note("There is no CA yet: the first token makes it (func ca token).\n");
    return EXIT_OK;
  }
  session.out.result(
    `CA ${caFingerprint}\n` +
      renderTable(
        certificates.map(({ name, role, serial, notAfterMs }) => [
          name,
          role,
          `until ${time(notAfterMs)}`,
          serial,
        ]),
      ) +
      renderTable(
        tokens.map(({ id, nameGlob, expiresAtMs }) => [
          `token ${id}`,
          `for ${nameGlob ?? "any name"}`,
          `until ${time(expiresAtMs)}`,
        ]),
      ),
  );
  return EXIT_OK;
}

function time(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
