import type { AuditRecord } from "./auditRead";
import type { AuditFinding, ChainReport } from "./auditVerify";
import { ascii } from "./chainLine";

/** What needs no quotes. */
const PLAIN = /^[\w.@:*;,/+-]+$/;
const UNITS: Readonly<Record<string, number>> = { s: 1e3, m: 60e3, h: 3_600e3, d: 86_400e3 };

/** One line for people: number, time, what, who and how, as `name=value`. ASCII without control characters. */
export function auditLine({ seq, time, fields }: AuditRecord): string {
  if (seq === undefined) return `(damaged) ${value(fields["damaged"])}`;
  const { event, module, method, outcome, ...rest } = fields;
  const details = Object.entries(rest).map(([name, told]) => `${name}=${value(told)}`);
  const called = typeof module === "string" ? `${module}.${String(method)}` : method;
  const what = [event, called].filter((part) => part !== undefined).map(value);
  const end = outcome === undefined ? [] : [`: ${value(outcome)}`];
  return [String(seq), time, ...what, ...details].join(" ") + end.join("");
}

/** What was found, for people; lines of at most one sentence. */
export function reportText(report: ChainReport): string {
  if (report.files === 0 && !report.problem) {
    return "There is no audit log: nothing was recorded yet, or its files were removed.\n";
  }
  const { ok, files, lines, firstSeq, lastSeq, lastHash, problem, findings, recovered } = report;
  const kept = lines === 0 ? "no line" : `lines ${firstSeq} to ${lastSeq}`;
  const notes = [
    ...recovered.map(({ file, line, what }) => `${file}:${line}: ${what}\n`),
    ...findings.map(findingText),
  ].join("");
  if (problem && findings.includes(problem)) {
    return `${notes}The other lines, ${firstSeq} to ${lastSeq}, are as they were written.\n`;
  }
  if (problem) {
    return `${notes}${findingText(problem)}Before that, ${kept} are as they were written.\n`;
  }
  const shown = lines === 0 ? "" : `The last one has the hash ${lastHash}.\n`;
  const where = `${files} ${files === 1 ? "file" : "files"}`;
  return `${notes}${ok ? "The audit log is whole" : "Unknown"}: ${kept} in ${where}.\n${shown}`;
}

function findingText({ file, line, reason }: AuditFinding): string {
  return `${line === 0 ? file : `${file}:${line}`}: ${reason}\n`;
}

/** "2026-11-22", "2026-11-22T08:30Z", or how long ago: "90s", "30m", "2h", "7d". Undefined for anything else. */
export function sinceTime(text: string, nowMs = Date.now()): number | undefined {
  const [, count, unit = ""] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (count !== undefined) return nowMs - Number(count) * (UNITS[unit] ?? 0);
  const ms = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

function value(told: unknown): string {
  if (typeof told === "string" && PLAIN.test(told)) return told;
  return told === undefined ? "" : ascii(JSON.stringify(told));
}
