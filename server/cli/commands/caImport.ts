import { utcTime } from "../../common/utcTime";
import { readFile } from "node:fs/promises";
import { isEncryptedKey } from "../../pki/certificates/encryptedKey";
import { EXIT_OK } from "../exitStatus";
import type { CaImport } from "../parseCaImport";
import { askSecret } from "../secretPrompt";
import type { Session } from "../session";

/** `func ca import`: the overlord reads the files itself, so that the key goes over no socket. */
export async function caImport(
  session: Session,
  { certificateFile, keyFile, stdin }: CaImport,
): Promise<number> {
  const connection = await session.connect();
  const passphrase = (await takesPassphrase(keyFile))
    ? await askSecret({ what: `Passphrase of ${keyFile}`, fromStdin: stdin })
    : undefined;
  const list = await connection.request("certmaster/importAuthority", {
    certificateFile,
    keyFile,
    ...(passphrase !== undefined && { passphrase }),
  });
  if (session.options.json) session.out.result(`${JSON.stringify(list)}\n`);
  else {
    session.out.result(
      `CA ${list.caFingerprint ?? "-"}\n` +
        (list.caNotAfterMs === undefined ? "" : `CA valid until ${utcTime(list.caNotAfterMs)}\n`),
    );
  }
  session.out.note(
    "This overlord signs with that CA from now on. What it signed or revoked before is not known here: whoever has a\n" +
      "certificate with a common name only becomes a minion by func ca accept, others join by func add-host or a token.\n" +
      `The files are only copied: whoever has ${keyFile}, or a copy of it, is this CA. Stop the old certmaster, and\n` +
      "take the key away from there.\n" +
      (passphrase === undefined
        ? ""
        : "The key is encrypted with the same passphrase: func ca unlock after each start of the overlord.\n"),
  );
  return EXIT_OK;
}

/** Where it cannot be read here, the overlord says so. */
async function takesPassphrase(keyFile: string): Promise<boolean> {
  return readFile(keyFile, "utf8").then(isEncryptedKey, () => false);
}
