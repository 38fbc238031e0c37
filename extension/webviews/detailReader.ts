import type { JobSummary } from "../../server/protocol/jobs";
import type { OverlordSession } from "../overlordSession";
import { resultFacts } from "../results/resultFacts";
import { resultWindow, windowOf, type OutputWindow } from "../results/outputWindow";
import { resultParts, type ResultPart } from "../results/resultParts";
import type { DetailSection, ShownRange } from "./resultsProtocol";

/** What an opened row shows of one output at a time: more makes a webview slow. */
const PAGE_BYTES = 64 * 1024;
/** What a card shows the first lines of, and compares with the majority's. */
const PEEK_BYTES = 8 * 1024;
/** Parts of one result: a value may hold any number of large outputs. */
const MAX_SECTIONS = 50;

/** Which job's results are read. */
export type ReadJob = Pick<JobSummary, "id" | "module" | "method">;

/** What there is to say about one minion's result, each output from its beginning. Throws FuncError. */
export async function readDetail(
  session: OverlordSession,
  job: ReadJob,
  minion: string,
  peek: boolean,
): Promise<DetailSection[]> {
  const result = await session.request("jobs/result", { jobId: job.id, minion });
  const parts = await resultParts(session, result, isCommand(job));
  const sections: DetailSection[] = [];
  for (const part of parts.slice(0, MAX_SECTIONS)) {
    sections.push(await sectionOf(part, peek ? PEEK_BYTES : PAGE_BYTES));
  }
  if (peek) return sections;
  const facts = await resultFacts(session, job.id, result);
  return [...sections, ...facts.map((fact) => ({ ...fact, verbatim: false }))];
}

/** Another part of one section, from about the byte `offset`. Throws FuncError. */
export async function readPage(
  session: OverlordSession,
  job: ReadJob,
  minion: string,
  section: string,
  offset: number,
): Promise<{ text: string; range: ShownRange }> {
  const window = await resultWindow(session, job.id, minion, section, offset, PAGE_BYTES);
  return { text: window.text, range: rangeOf(window) };
}

export function isCommand({ module, method }: Pick<ReadJob, "module" | "method">): boolean {
  return module === "command" && method === "run";
}

async function sectionOf(part: ResultPart, bytes: number): Promise<DetailSection> {
  const { key, title, verbatim, source } = part;
  const window = await windowOf(source, 0, bytes);
  const whole = window.nextOffset >= window.totalBytes;
  const section = { key, title, verbatim, text: window.text };
  return whole ? section : { ...section, range: rangeOf(window) };
}

function rangeOf({ offset, nextOffset, totalBytes }: OutputWindow): ShownRange {
  return { offset, end: nextOffset, total: totalBytes };
}
