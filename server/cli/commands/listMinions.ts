import { EXIT_OK } from "../exitStatus";
import type { Session } from "../session";

/** `func SPEC list_minions`: the matching names, sorted. Calls no minion. */
export async function listMinions(session: Session, spec: string): Promise<number> {
  const connection = await session.connect();
  const { names, warning } = await connection.request("minions/match", session.targets(spec));
  if (warning !== undefined) session.out.note(`Warning: ${warning}\n`);
  const sorted = [...names].sort();
  session.out.result(
    session.options.json
      ? `${JSON.stringify(sorted)}\n`
      : sorted.map((name) => `${name}\n`).join(""),
  );
  return EXIT_OK;
}
