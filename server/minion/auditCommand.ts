import { readAudit } from "../common/auditRead";
import { auditLine, reportText } from "../common/auditText";
import { verifyLiveAudit } from "../common/auditVerify";
import { FuncError } from "../common/errors";
import { auditFile } from "./audit";

/** What `funcd audit` is asked for. */
export interface AuditQuestion {
  action: "show" | "verify";
  /** Only one of the two. */
  last?: number;
  sinceMs?: number;
  json: boolean;
}

const SHOWN_LINES = 50;
const ALL_LINES = 1_000_000;

/**
 * Answers `funcd audit show` and `funcd audit verify` from the files of a home, whether its funcd runs or
 * not. False where the log is not whole. Throws FuncError "bad-data" where it cannot be read.
 */
export async function auditCommand(
  home: string,
  { action, last, sinceMs, json }: AuditQuestion,
  write: (text: string) => void,
): Promise<boolean> {
  const file = auditFile(home);
  if (action === "verify") {
    const report = await verifyLiveAudit(file);
    write(json ? `${JSON.stringify(report)}\n` : reportText(report));
    return report.ok && report.files > 0;
  }
  const limit = sinceMs === undefined ? (last ?? SHOWN_LINES) : ALL_LINES;
  try {
    const records = await readAudit(file, { sinceMs, limit });
    for (const record of records) {
      const { fields, ...rest } = record;
      write(`${json ? JSON.stringify({ ...rest, ...fields }) : auditLine(record)}\n`);
    }
    return true;
  } catch (error) {
    const { code = "unreadable" } = error as NodeJS.ErrnoException;
    throw new FuncError("bad-data", `${file} cannot be read (${code})`, undefined, {
      cause: error,
    });
  }
}
