import { utcTime } from "../../common/utcTime";
import { readLine } from "../../common/readLine";
import { FuncError } from "../../common/errors";
import { isFingerprint } from "../../pki/certificates/fingerprintWords";
import { formatHostPort } from "../../common/hostPort";
import type { InspectedMinion } from "../../protocol/certmaster";
import { EXIT_FAILED, EXIT_OK } from "../exitStatus";
import type { CaAccept } from "../parseCaImport";
import type { Session } from "../session";

/**
 * `func ca accept NAME ADDRESS`: with what was compared on the command line, or a person who compares now. Throws
 * FuncError "wrong-identity" where the host has another key, "bad-argument" where nobody can be asked.
 */
export async function caAccept(session: Session, wanted: CaAccept): Promise<number> {
  const { name, address, port } = wanted;
  const connection = await session.connect();
  const inspected = await connection.request("certmaster/inspect", { name, address, port });
  if (!(await isCompared(session, inspected, wanted))) {
    session.out.note(`${name} is not accepted.\n`);
    return EXIT_FAILED;
  }
  const { keyFingerprint } = inspected;
  const place = { name, address, port, keyFingerprint };
  const accepted = await connection.request("certmaster/accept", place);
  if (session.options.json) session.out.result(`${JSON.stringify(accepted)}\n`);
  else session.out.result(`${accepted.accessRule}\n`);
  session.out.note(
    `${name} is a minion now, known by that key alone. Put the line ${session.options.json ? "accessRule" : "above"} into a file *.acl in\n` +
      "/etc/func/minion-acl.d on the host, so that it lets this overlord in; instead of * name methods to allow less\n" +
      "(test.* command.run jobs.job_status).\n" +
      "Its certificate has a common name only, so the name proves nothing, and it takes no revocation list. It is not\n" +
      `renewed: it ends on ${utcTime(inspected.notAfterMs)}. func add-host --replace makes it a minion of this version.\n`,
  );
  return EXIT_OK;
}

async function isCompared(
  session: Session,
  inspected: InspectedMinion,
  { fingerprint, yes }: CaAccept,
): Promise<boolean> {
  const { name, words, keyFingerprint } = inspected;
  if (fingerprint !== undefined) {
    if (isFingerprint(fingerprint, keyFingerprint)) return true;
    throw new FuncError(
      "wrong-identity",
      `${name}: the host at ${formatHostPort({ host: inspected.address, port: inspected.port })} has another key than that: "${words}".`,
      "Compare it on the host itself, and find out who answers there.",
    );
  }
  if (yes) return true;
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new FuncError(
      "bad-argument",
      `Nobody can be asked whether ${name} has this key: ${words}.`,
      "Say what was compared, with --fingerprint HEX or WORDS.",
    );
  }
  session.out.note(
    `${name} at ${inspected.address} has the key\n\n    ${words}\n    ${keyFingerprint}\n\n` +
      "On the host (as root) this prints the same 64 digits:\n" +
      `  openssl x509 -in /etc/pki/certmaster/${name}.cert -noout -pubkey | openssl pkey -pubin -outform der | sha256sum\n` +
      "Is it the same? [y/N] ",
  );
  return /^y(es)?$/i.test((await readLine()).trim());
}
