import { lstat } from "node:fs/promises";
import { resolve } from "node:path";
import { writeFileAtomic } from "../../common/atomicFile";
import { FuncError } from "../../common/errors";
import { createCsr } from "../../pki/certificates/csr";
import { generateKey } from "../../pki/certificates/keyFiles";
import { EXIT_OK } from "../exitStatus";
import type { CaOperator } from "../parseCaSigning";
import type { Session } from "../session";

/**
 * `func ca operator NAME`: makes a key here, has it signed, and keeps key, certificate and CA in one file of
 * mode 0600. Throws FuncError "conflict" where there is such a file already, or the name is taken.
 */
export async function caOperator(
  session: Session,
  { name, out, days, replace }: CaOperator,
): Promise<number> {
  const file = resolve(out);
  if (await lstat(file).catch(() => undefined)) {
    throw new FuncError("conflict", `${file} exists already.`, "Choose another file with --out.");
  }
  const { privateKeyPem } = await generateKey();
  const csr = createCsr(name, privateKeyPem, "operator");
  const connection = await session.connect();
  const { certificate, ca, record } = await connection.request("certmaster/sign", {
    csr,
    role: "operator",
    name,
    ...(days !== undefined && { days }),
    ...(replace && { replace }),
  });
  await writeFileAtomic(file, privateKeyPem + certificate + ca);
  const { role, serial, notAfterMs } = record;
  if (session.options.json) {
    session.out.result(`${JSON.stringify({ file, name, role, serial, notAfterMs })}\n`);
  } else {
    session.out.result(`${file}\n`);
  }
  session.out.note(usageOf(name, out, notAfterMs));
  return EXIT_OK;
}

function usageOf(name: string, file: string, notAfterMs: number): string {
  return (
    `Operator ${name}: key, certificate (until ${new Date(notAfterMs).toISOString().slice(0, 10)}) and CA.\n` +
    "Whoever has this file can call every minion: keep it as you keep a root password.\n" +
    "Any XML-RPC client over TLS can call minions with it, here and elsewhere (copy it with scp):\n" +
    `  curl --cert ${file} --cacert ${file} --data-binary @call.xml https://MINION:51234/\n` +
    "MINION is the name in the minion's certificate (curl: --connect-to, where its address is another).\n"
  );
}
