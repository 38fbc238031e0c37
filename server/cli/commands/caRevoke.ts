import { readLine } from "../../common/readLine";
import type { CertificateRecord, RevokeResult } from "../../protocol/certmaster";
import { atItsOverlord } from "../atItsOverlord";
import { needPerson } from "../needPerson";
import { EXIT_FAILED, EXIT_OK } from "../exitStatus";
import type { CaRevoke } from "../parseCaRevoke";
import { renderTable } from "../render";
import type { Session } from "../session";

/** So many minions that do not have the list yet are named. */
const MAX_SHOWN = 20;

/** `func ca revoke NAME...`: revokes certificates once a person has typed what they are called. */
export async function caRevoke(session: Session, { params, yes }: CaRevoke): Promise<number> {
  const connection = await session.connect();
  if (!yes) {
    const { certificates } = await connection.request("certmaster/list", {});
    const meant = certificates.filter((record) => isMeant(record, params));
    // where nothing is meant, the overlord says why
    if (meant.length > 0 && !(await isAgreed(session, meant))) {
      session.out.note("Nothing is revoked.\n");
      return EXIT_FAILED;
    }
  }
  const result = await atItsOverlord(connection, params.names, "func ca revoke", () =>
    connection.request("certmaster/revoke", params),
  );
  if (session.options.json) session.out.result(`${JSON.stringify(result)}\n`);
  else session.out.result(renderTable(rowsOf(result.revoked)));
  session.out.note(summaryOf(result));
  return EXIT_OK;
}

async function isAgreed(session: Session, meant: CertificateRecord[]): Promise<boolean> {
  const [first] = meant;
  const names = new Set(meant.map(({ name }) => name));
  const expected = names.size === 1 && first ? first.name : String(meant.length);
  needPerson(`whether to revoke ${[...names].slice(0, MAX_SHOWN).join(", ")}`);
  const what = names.size === 1 ? "the name" : "how many these are";
  session.out.note(
    `${renderTable(rowsOf(meant))}These are refused from then on, and that cannot be undone.\nType ${what} (${expected}) to revoke: `,
  );
  return (await readLine()).trim().toLowerCase() === expected;
}

function isMeant(record: CertificateRecord, params: CaRevoke["params"]): boolean {
  const isNamed = record.role === (params.role ?? "minion") && params.names.includes(record.name);
  const hasSerial = params.serials.some((serial) => plain(serial) === plain(record.serial));
  return record.revoked === undefined && (isNamed || hasSerial);
}

function plain(serial: string): string {
  return serial.toUpperCase().replace(/^0+/, "");
}

function rowsOf(records: readonly CertificateRecord[]): string[][] {
  return records.map(({ name, role, serial, notAfterMs }) => [
    name,
    role,
    `until ${new Date(notAfterMs).toISOString().slice(0, 10)}`,
    serial,
  ]);
}

function summaryOf({ revoked, revocationNumber, told, untold, why }: RevokeResult): string {
  const count = revoked.length === 1 ? "1 certificate is" : `${revoked.length} certificates are`;
  const head = `${count} revoked (list ${revocationNumber}). ${told} ${told === 1 ? "minion has" : "minions have"} the new list.\n`;
  if (untold.length === 0) return head;
  const shown = untold.slice(0, MAX_SHOWN).map((name) => `  ${name}: ${why[name] ?? "unknown"}\n`);
  const more = untold.length - MAX_SHOWN;
  const rest = more > 0 ? `  and ${more} more\n` : "";
  return `${head}Not told yet; the overlord tries until each has it, for a day at least, and before each call:\n${shown.join("")}${rest}`;
}
