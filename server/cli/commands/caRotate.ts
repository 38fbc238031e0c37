import { readLine } from "../../common/readLine";
import type { OverlordConnection } from "../../client/connection";
import type { CertmasterList, RotationStatus } from "../../protocol/certmaster";
import { needPerson } from "../needPerson";
import { EXIT_FAILED, EXIT_OK } from "../exitStatus";
import { firstNames } from "../firstNames";
import type { CaRotate } from "../parseCaRotate";
import { askSecret } from "../secretPrompt";
import type { Session } from "../session";

/** `func ca rotate`: starts to replace the CA, tells how far that is, ends it, or takes it back. */
export async function caRotate(session: Session, command: CaRotate): Promise<number> {
  const connection = await session.connect();
  switch (command.action) {
    case "status":
      return show(session, await connection.request("certmaster/list", {}));
    case "start":
      return start(session, connection, command.stdin);
    case "finish":
      return finish(session, connection, command);
    case "abort": {
      const list = await connection.request("certmaster/rotate", { action: "abort" });
      if (session.options.json) return show(session, list);
      session.out.note("The CA stays as it is; each minion is told when it can be reached.\n");
      return EXIT_OK;
    }
  }
}

async function start(
  session: Session,
  connection: OverlordConnection,
  stdin: boolean,
): Promise<number> {
  const { caEncrypted, caState, rotation } = await connection.request("certmaster/list", {});
  // where it cannot begin, the overlord says why
  const asks = caEncrypted && caState === "ready" && !rotation;
  const what = "Passphrase of the CA";
  const passphrase = asks ? await askSecret({ what, fromStdin: stdin }) : undefined;
  const params = { action: "start" as const, ...(passphrase !== undefined && { passphrase }) };
  return show(session, await connection.request("certmaster/rotate", params));
}

async function finish(
  session: Session,
  connection: OverlordConnection,
  { withoutMissing, yes }: CaRotate,
): Promise<number> {
  const { rotation } = await connection.request("certmaster/list", {});
  const without = withoutMissing ? (rotation?.missing ?? []) : [];
  // where minions are missing that nobody gave up, the overlord says so
  const refused = !rotation || (rotation.missing.length > 0 && !withoutMissing);
  if (!yes && !refused && !(await isAgreed(session, without))) {
    session.out.note("Both CAs stay trusted.\n");
    return EXIT_FAILED;
  }
  const list = await connection.request("certmaster/rotate", { action: "finish", without });
  if (session.options.json) return show(session, list);
  session.out.note(
    `The old CA is gone; the CA is ${list.caFingerprint ?? "-"} now. Make a new backup: func overlord backup\n`,
  );
  return EXIT_OK;
}

async function isAgreed(session: Session, without: readonly string[]): Promise<boolean> {
  const expected = without.length === 0 ? "finish" : String(without.length);
  needPerson("whether to drop the old CA");
  const lost =
    without.length === 0
      ? ""
      : `These minions are given up, and have to be enrolled anew: ${without.join(", ")}.\n`;
  session.out.note(
    `${lost}The old CA's key is deleted, and its certificates are refused: those of operators too.\nType ${without.length === 0 ? "the word" : "how many minions are given up"} (${expected}) to go on: `,
  );
  return (await readLine()).trim().toLowerCase() === expected;
}

function show(session: Session, { rotation, caFingerprint }: CertmasterList): number {
  if (session.options.json) {
    session.out.result(`${JSON.stringify({ caFingerprint, rotation: rotation ?? null })}\n`);
  } else if (rotation) {
    session.out.result(statusOf(rotation));
  } else {
    session.out.note("The CA is not being replaced.\n");
  }
  return EXIT_OK;
}

function statusOf({ phase, newFingerprint, told, untold, missing }: RotationStatus): string {
  const lines = [
    `New CA ${newFingerprint}`,
    phase === "telling"
      ? "Minions are told to trust it; it issues nothing yet."
      : "It issues certificates; both CAs are trusted.",
    `${told} ${told === 1 ? "minion trusts" : "minions trust"} both.`,
    untold.length > 0 && `Not told yet, each is before its next call: ${firstNames(untold)}`,
    missing.length > 0 && `Without a certificate of the new CA: ${firstNames(missing)}`,
    missing.length === 0 && "All have certificates of the new CA: func ca rotate --finish",
  ];
  return lines.map((line) => (line === false ? "" : `${line}\n`)).join("");
}
