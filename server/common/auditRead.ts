import { auditFiles, linesOf } from "./auditFiles";
import { readChainLine } from "./chainLine";

/** One line of an audit log. */
export interface AuditRecord {
  /** Both are absent where the line is damaged. */
  seq?: number;
  time?: string;
  /** What it tells; the beginning of the text where it is damaged. */
  fields: Record<string, unknown>;
}

export interface AuditRange {
  /** From this line on. Without it, and without `sinceMs`, the last ones. */
  fromSeq?: number;
  /** From the first line of that time on. */
  sinceMs?: number;
  /** At most so many lines. */
  limit: number;
}

const BEGIN = /^\{"seq":(\d{1,15}),"time":"([^"]{1,40})"/;
const SHOWN_TEXT = 200;

/** Lines of a log over all its files, oldest first. Throws what the file system says. */
export async function readAudit(file: string, range: AuditRange): Promise<AuditRecord[]> {
  const { fromSeq, sinceMs, limit } = range;
  const fromStart = fromSeq !== undefined || sinceMs !== undefined;
  const found: string[] = [];
  let begun = !fromStart;
  for (const name of await auditFiles(file)) {
    for await (const { text } of linesOf(name)) {
      begun ||= isFrom(text, range);
      if (!begun) continue;
      found.push(text);
      if (fromStart && found.length >= limit) return found.map(recordOf);
      if (found.length >= 2 * limit) found.splice(0, limit);
    }
  }
  return found.slice(fromStart ? 0 : -limit).map(recordOf);
}

/** True for the first line that is wanted: a clock that went back later takes no line away. */
function isFrom(text: string, { fromSeq = 0, sinceMs = 0 }: AuditRange): boolean {
  const [, seq, time] = BEGIN.exec(text) ?? [];
  if (seq === undefined || time === undefined) return false;
  return Number(seq) >= fromSeq && Date.parse(time) >= sinceMs;
}

function recordOf(text: string): AuditRecord {
  const line = readChainLine(text);
  if (!line) return { fields: { damaged: text.slice(0, SHOWN_TEXT) } };
  return { seq: line.seq, time: line.time, fields: line.fields };
}
