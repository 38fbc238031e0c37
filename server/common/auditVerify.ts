import { auditFiles, headOf, KEPT_FILES, linesOf, readHead, type FileLine } from "./auditFiles";
import { CHAIN_START, readChainLine, type ChainEnd, type ChainLine } from "./chainLine";
import { messageOf } from "./errors";

/** What was found in a log, from its oldest file to its youngest. */
export interface ChainReport {
  /** True where every line is the one that was written, and none is missing but what a crash can cut. */
  ok: boolean;
  files: number;
  lines: number;
  /** Of the first line that is still kept; 0 where there is none. */
  firstSeq: number;
  lastSeq: number;
  /** Of the last good line; noted elsewhere, it shows later that nothing before it was changed. */
  lastHash: string;
  /** The first that is wrong. `line` is 0 where the file as a whole is. */
  problem?: AuditFinding;
  /** Lines, or notes of the last line, that were found missing at a start and went on without; the first hundred. */
  findings: AuditFinding[];
  /** What crashes and full disks have left, as the log itself tells; the last hundred. */
  recovered: { file: string; line: number; seq: number; what: string }[];
}

export interface AuditFinding {
  file: string;
  line: number;
  reason: string;
}

const MOST_RECOVERED = 100;
const MOST_FINDINGS = 100;
const AT_A_START = "they were gone when funcd or the overlord began anew";
const AGAIN_AFTER_MS = 300;

/** Reads a whole log (`FILE`, `FILE.1` and so on) and finds the first line that is not what was written. */
export async function verifyAudit(file: string): Promise<ChainReport> {
  const report: ChainReport = {
    ok: false,
    files: 0,
    lines: 0,
    firstSeq: 0,
    lastSeq: 0,
    lastHash: CHAIN_START.hash,
    findings: [],
    recovered: [],
  };
  let name = file;
  try {
    const head = await readHead(file);
    const names = await auditFiles(file);
    report.files = names.length;
    for (name of names) {
      for await (const line of linesOf(name)) {
        const reason = judge(line, report, names.length > KEPT_FILES, head);
        if (reason !== undefined) {
          return { ...report, problem: { file: name, line: line.number, reason } };
        }
        noteRecovery(name, line, report);
      }
    }
    const reason = judgeHead(head, report);
    if (reason !== undefined) {
      return { ...report, problem: { file: headOf(file), line: 0, reason } };
    }
    const [problem] = report.findings;
    return problem ? { ...report, problem } : { ...report, ok: true };
  } catch (error) {
    const reason = `it cannot be read: ${messageOf(error)}`;
    return { ...report, problem: { file: name, line: 0, reason } };
  }
}

/**
 * Like `verifyAudit`, for a log that may be written, or turn its files, while it is read: what is found wrong
 * counts only if it is there a moment later.
 */
export async function verifyLiveAudit(file: string): Promise<ChainReport> {
  const report = await verifyAudit(file);
  const { ok, problem, findings } = report;
  if (ok || (problem && findings.includes(problem))) return report; // those are there to stay
  await new Promise((resolve) => setTimeout(resolve, AGAIN_AFTER_MS));
  return verifyAudit(file);
}

type Head = ChainEnd | "missing" | "damaged";

/** Undefined where the line is right; the report then includes it. */
function judge(
  { text, ended }: FileLine,
  report: ChainReport,
  mayBeginLater: boolean,
  head: Head,
): string | undefined {
  const line = readChainLine(text);
  if (!line) return ended ? "the line is not as it was written" : "the line is cut";
  if (report.lines === 0) {
    if (line.seq !== 1 && !mayBeginLater) return `the ${line.seq - 1} lines before it are missing`;
    if (line.seq === 1 && line.prev !== CHAIN_START.hash) return "it does not begin the chain";
  } else {
    if (line.prev !== report.lastHash) return "it does not follow the line before it";
    if (line.seq !== report.lastSeq + 1 && !tellsGap(line, report.lastSeq)) {
      return `line ${report.lastSeq + 1} of the log is missing before it`;
    }
  }
  if (typeof head === "object" && head.seq === line.seq && head.hash !== line.hash) {
    return "it is another line than the one that was noted";
  }
  if (!ended) return "the end of the line is cut";
  report.firstSeq ||= line.seq;
  report.lines++;
  report.lastSeq = line.seq;
  report.lastHash = line.hash;
  return undefined;
}

function tellsGap({ seq, fields }: ChainLine, lastSeq: number): boolean {
  return (
    fields["event"] === "recovered" &&
    fields["missingFrom"] === lastSeq + 1 &&
    fields["missingTo"] === seq - 1
  );
}

function judgeHead(head: Head, { lastSeq, lines }: ChainReport): string | undefined {
  if (typeof head === "object") {
    return head.seq > lastSeq ? `lines ${lastSeq + 1} to ${head.seq} are missing` : undefined;
  }
  return head === "missing" && lines === 0 ? undefined : `the note of the last line is ${head}`;
}

function noteRecovery(file: string, { text, number }: FileLine, report: ChainReport): void {
  if (!text.includes('"event":"')) return;
  const fields = readChainLine(text)?.fields;
  const what = fields && recoveryText(fields);
  if (!fields || what === undefined) return;
  report.recovered.push({ file, line: number, seq: report.lastSeq, what });
  if (report.recovered.length > MOST_RECOVERED) report.recovered.shift();
  const reason = findingIn(fields);
  if (reason === undefined || report.findings.length >= MOST_FINDINGS) return;
  report.findings.push({ file, line: number, reason });
}

/** What no crash can have done: whole lines that had been noted are gone, or the note is. */
function findingIn(fields: Record<string, unknown>): string | undefined {
  if (fields["event"] !== "recovered") return undefined;
  const { missingFrom: from, missingTo: to, noteOfEnd } = fields;
  if (from !== undefined) {
    const missing = Number(to) - Number(from) + 1;
    if (missing > (fields["cutBytes"] === undefined ? 0 : 1)) {
      return `lines ${Number(from)} to ${Number(to)} are missing: ${AT_A_START}`;
    }
  }
  if (noteOfEnd === undefined) return undefined;
  const state = noteOfEnd === "damaged" ? "damaged" : "gone";
  return `the note of the last line was ${state} at a start: lines before it may be missing`;
}

/** What a line that the log wrote about itself says, in words; undefined for any other line. */
function recoveryText(fields: Record<string, unknown>): string | undefined {
  if (fields["event"] === "lost") {
    return `${Number(fields["lines"])} lines before it could not be written`;
  }
  if (fields["event"] === "too-large") return "what it told was too large";
  if (fields["event"] !== "recovered") return undefined;
  const parts: string[] = [];
  if (fields["cutBytes"] !== undefined) {
    parts.push(`${Number(fields["cutBytes"])} bytes of a cut line were taken out`);
  }
  if (fields["newlineMissing"] !== undefined) parts.push("the line before it was not ended");
  if (fields["missingFrom"] !== undefined) {
    parts.push(`lines ${Number(fields["missingFrom"])} to ${Number(fields["missingTo"])} are lost`);
  }
  if (fields["noteOfEnd"] !== undefined) parts.push("the note of the last line was gone");
  if (fields["damaged"] !== undefined) parts.push("the line before it was damaged");
  return parts.join("; ");
}
