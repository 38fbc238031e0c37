import { utcTime } from "../../common/utcTime";
import type { CertmasterList } from "../../protocol/certmaster";
import { askCa, atText } from "../askCa";
import { EXIT_OK } from "../exitStatus";
import { noteRequestsBelow, requestsBelow } from "../requestsBelow";
import type { Session } from "../session";
import { certificateLines, tokenLines, waitingLines } from "./caTables";

/**
 * `func ca list`: the CA, what waits, signed and revoked certificates, open tokens and other ways in; of this
 * overlord, and then how many requests wait at those below it, or of the sub-overlord at the end of a path.
 */
export async function caList(session: Session, at: readonly string[] = []): Promise<number> {
  const connection = await session.connect();
  const below = at.length === 0 && !session.options.json;
  const asking = below ? requestsBelow(connection) : undefined;
  asking?.catch(() => undefined); // said where it is awaited
  const list = await askCa(connection, at, "certmaster/list", {});
  if (session.options.json) {
    session.out.result(`${JSON.stringify(list)}\n`);
    return EXIT_OK;
  }
  show(session, list, at);
  if (asking) noteRequestsBelow(session, await asking);
  return EXIT_OK;
}

function show(session: Session, list: CertmasterList, at: readonly string[]): void {
  if (list.caFingerprint === undefined) {
    session.out.note(
      `There is no CA yet: the first token makes it (func ca token${atText(at)}).\n`,
    );
    return;
  }
  const { certificates, waiting, tokens } = list;
  const good = certificates.filter(({ revoked }) => revoked === undefined);
  const revoked = certificates.filter((certificate) => certificate.revoked !== undefined);
  for (const warning of list.warnings ?? []) session.out.note(`Warning: ${warning}\n`);
  session.out.result(
    authorityLines(list) +
      section("Waiting for approval", waitingLines(waiting)) +
      section("Certificates", certificateLines(good)) +
      section("Revoked", certificateLines(revoked)) +
      section("Join tokens", tokenLines(tokens)),
  );
}

function authorityLines({ caFingerprint, caWords, caNotAfterMs, caState, modes }: CertmasterList) {
  const { approvalUntilMs, autosign, originalHttp } = modes;
  const lines = [
    `CA ${caFingerprint ?? "-"}`,
    caWords && `CA words: ${caWords}`,
    caNotAfterMs && `CA valid until ${utcTime(caNotAfterMs)}`,
    caState === "locked" && "CA is locked: nothing can be signed",
    approvalUntilMs && `Takes requests for approval until ${utcTime(approvalUntilMs)}`,
    autosign &&
      `Signs by itself, while requests are taken: ${autosign.names.join(" ")} from ${autosign.networks.join(" ")}`,
    originalHttp &&
      `Original's wait_for_cert on http://${originalHttp.at}/${originalHttp.problem ? ` IS NOT OPEN: ${originalHttp.problem}` : ""}. ${originalHttp.givesUp}`,
  ];
  return lines.map((line) => (line ? `${line}\n` : "")).join("");
}

function section(title: string, lines: string): string {
  return lines === "" ? "" : `\n${title}\n${lines}`;
}
