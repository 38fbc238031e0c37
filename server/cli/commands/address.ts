import { EXIT_OK } from "../exitStatus";
import type { Command } from "../parse";
import type { Session } from "../session";

/** `func address NAME HOST[:PORT]`: who the minion is stays what its certificate and key say. */
export async function address(
  session: Session,
  { name, address: host, port }: Extract<Command, { kind: "address" }>,
): Promise<number> {
  const connection = await session.connect();
  const change = { name, address: host, ...(port !== undefined && { port }) };
  const record = await connection.request("minions/edit", change);
  if (session.options.json) session.out.result(`${JSON.stringify(record)}\n`);
  session.out.note(`${name} is reached at ${record.address}, port ${record.port}, from now on.\n`);
  return EXIT_OK;
}
