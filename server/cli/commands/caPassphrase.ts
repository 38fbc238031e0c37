import { text } from "node:stream/consumers";
import { FuncError } from "../../common/errors";
import { EXIT_OK } from "../exitStatus";
import { askSecret } from "../secretPrompt";
import type { Session } from "../session";

const PRESENT = "Present passphrase of the CA";
const NEXT = "New passphrase of the CA";
/** Two lines. */
const MAX_STDIN_CHARACTERS = 10_000;

/**
 * `func ca passphrase`: encrypts the CA's key, changes its passphrase, or with `remove` takes it away. With
 * `stdin` the present one (where there is one) and the new one are lines of standard input, in this order.
 */
export async function caPassphrase(
  session: Session,
  { remove, stdin }: { remove: boolean; stdin: boolean },
): Promise<number> {
  const connection = await session.connect();
  const { caState, caEncrypted } = await connection.request("certmaster/list", {});
  if (caState === "none") throw new FuncError("not-found", "There is no CA yet.");
  if (remove && !caEncrypted) {
    session.out.note("The CA's key has no passphrase.\n");
    return EXIT_OK;
  }
  const lines = stdin ? (await piped()).split(/\r?\n/) : [];
  const ask = async (what: string, confirm: boolean): Promise<string> => {
    if (!stdin) return askSecret({ what, confirm, fromStdin: false });
    const line = lines.shift() ?? "";
    if (line === "") throw new FuncError("bad-argument", `${what}: it is missing.`);
    return line;
  };
  const old = caEncrypted ? await ask(PRESENT, false) : undefined;
  const next = remove ? "" : await ask(NEXT, true);
  await connection.request("certmaster/setPassphrase", { ...(old !== undefined && { old }), next });
  session.out.note(
    remove
      ? "The CA's key is no longer encrypted.\n"
      : "The CA's key is encrypted. It is needed once after each start of the overlord: func ca unlock\n" +
          "Without it the fleet is lost once its certificates end: keep the passphrase where it outlives you.\n",
  );
  return EXIT_OK;
}

/** `func ca unlock`: until the overlord ends. */
export async function caUnlock(session: Session, { stdin }: { stdin: boolean }): Promise<number> {
  const connection = await session.connect();
  const { caState } = await connection.request("certmaster/list", {});
  if (caState !== "locked") {
    session.out.note(caState === "none" ? "There is no CA yet.\n" : "The CA is not locked.\n");
    return EXIT_OK;
  }
  const passphrase = await askSecret({ what: "Passphrase of the CA", fromStdin: stdin });
  await connection.request("certmaster/unlock", { passphrase });
  session.out.note("The CA is unlocked until the overlord ends.\n");
  return EXIT_OK;
}

async function piped(): Promise<string> {
  const given = await text(process.stdin);
  if (given.length <= MAX_STDIN_CHARACTERS) return given;
  throw new FuncError("bad-argument", "Standard input holds more than two passphrases.");
}
