import { auditLine, reportText } from "../../common/auditText";
import type { AuditRange, AuditRecord } from "../../common/auditRead";
import type { OverlordConnection } from "../../client/connection";
import { EXIT_FAILED, EXIT_OK } from "../exitStatus";
import type { Session } from "../session";

const SHOWN_LINES = 50;
const PAGE_LINES = 1_000;

/** `func audit show`: the last lines, or all since a time. */
export async function auditShow(
  session: Session,
  { last, sinceMs }: { last?: number; sinceMs?: number },
): Promise<number> {
  const connection = await session.connect();
  const first = await begin(connection, last ?? SHOWN_LINES, sinceMs);
  let shown = 0;
  for await (const records of pages(connection, first, last ?? Infinity)) {
    const text = session.options.json
      ? records.map(({ fields, ...rest }) => JSON.stringify({ ...rest, ...fields }))
      : records.map(auditLine);
    shown += records.length;
    session.out.result(text.map((line) => `${line}\n`).join(""));
  }
  if (shown === 0) session.out.note("Nothing yet.\n");
  return EXIT_OK;
}

/** `func audit verify`: exit status 1 where a line is not what was written. */
export async function auditVerify(session: Session): Promise<number> {
  const connection = await session.connect();
  const report = await connection.request("audit/verify", {});
  session.out.result(session.options.json ? `${JSON.stringify(report)}\n` : reportText(report));
  return report.ok && report.files > 0 ? EXIT_OK : EXIT_FAILED;
}

async function begin(
  connection: OverlordConnection,
  last: number,
  sinceMs: number | undefined,
): Promise<AuditRange> {
  if (sinceMs !== undefined) return { sinceMs, limit: PAGE_LINES };
  if (last <= PAGE_LINES) return { limit: last };
  const { records } = await connection.request("audit/read", { limit: 1 });
  return { fromSeq: Math.max(1, (records[0]?.seq ?? 0) - last + 1), limit: PAGE_LINES };
}

async function* pages(
  connection: OverlordConnection,
  first: AuditRange,
  most: number,
): AsyncGenerator<AuditRecord[]> {
  let range = first;
  for (let left = most; left > 0;) {
    const { records } = await connection.request("audit/read", range);
    yield records.slice(0, left);
    left -= records.length;
    const seq = records.findLast((record) => record.seq !== undefined)?.seq;
    if (records.length < PAGE_LINES || seq === undefined) return;
    range = { fromSeq: seq + 1, limit: PAGE_LINES };
  }
}
