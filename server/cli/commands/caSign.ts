import { readFile, writeFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { FuncError, messageOf } from "../../common/errors";
import { EXIT_OK } from "../exitStatus";
import type { CaSign } from "../parseCaSigning";
import type { Session } from "../session";

/** `func ca sign FILE`: the certificate and the CA's on stdout, as `funcd install-certificate` takes them. */
export async function caSign(session: Session, { file, out, params }: CaSign): Promise<number> {
  const csr = file === "-" ? await text(process.stdin) : await readGiven(file);
  const connection = await session.connect();
  const signed = await connection.request("certmaster/sign", { csr, ...params });
  const { record, certificate, ca } = signed;
  if (session.options.json) session.out.result(`${JSON.stringify(signed)}\n`);
  else if (out === undefined) session.out.result(certificate + ca);
  if (out !== undefined) await writeFile(out, certificate + ca);
  const until = new Date(record.notAfterMs).toISOString().slice(0, 10);
  session.out.note(`Signed for the ${record.role} ${record.name}, until ${until}.\n`);
  if (record.role === "minion") {
    session.out.note(
      "On the host: funcd install-certificate FILE, then start funcd.\n" +
        (params.address === undefined
          ? "It is not called yet: sign again with --address HOST[:PORT] to put it among the minions.\n"
          : ""),
    );
  }
  return EXIT_OK;
}

async function readGiven(file: string): Promise<string> {
  return readFile(file, "utf8").catch((error: unknown) => {
    throw new FuncError("not-found", `${file} cannot be read: ${messageOf(error)}.`);
  });
}
