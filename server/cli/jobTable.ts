import { allWell, targetsText, type JobSummary } from "../protocol/jobs";
import { renderTable } from "./render";
import { stateCounts } from "./stateCounts";

/** The end of an id, which stands for all of it: seconds and microseconds. */
const ID_END = /\d+\.\d{6}$/;
const GAP = 2;
/** Less of a call tells nobody what it was. */
const LEAST_CALL = 12;
const ENOUGH_CALL = 30;

/** What the letters are in a short table. */
export const KIND_LETTERS = "a: async, d: delegated, s: in steps, f: for an overlord above";

/** Jobs as a table for people; `isShort` where letters stand for their kinds, and the ends of ids for all of them. */
export interface JobTable {
  text: string;
  isShort: boolean;
}

/** One row: only what stands in `call` may be cut. */
interface JobRow {
  before: string[];
  call: string;
  /** Behind the call, in its column. */
  kinds: string;
  after: string[];
}

/**
 * When jobs began, how they stand, their ids, what they call and how, their minions' states. With `columns`, the width of
 * a terminal, each job is one line of it; without, nothing is left out.
 */
export function jobTable(jobs: readonly JobSummary[], columns?: number): JobTable {
  const full = jobs.map(fullRow);
  if (columns === undefined) return { text: tableOf(full), isShort: false };
  const room = roomFor(full, columns);
  if (room >= ENOUGH_CALL || full.every((row) => callCell(row).length <= room)) {
    return { text: tableOf(full, room), isShort: false };
  }
  const short = jobs.map(shortRow);
  return { text: tableOf(short, Math.max(LEAST_CALL, roomFor(short, columns))), isShort: true };
}

function fullRow(job: JobSummary): JobRow {
  const kinds = kindsOf(job).map(({ name }) => name);
  return {
    before: [timeText(job.createdAtMs), stateText(job), job.id],
    call: callText(job),
    kinds: kinds.length > 0 ? ` (${kinds.join(", ")})` : "",
    after: [countsText(job)],
  };
}

/** `11-22 08:30  running  1795386359.307000  ad  command.run "sle…  3/500 ended`. */
function shortRow(job: JobSummary): JobRow {
  const { createdAtMs, id, counts, total, finished, failedCommands = 0 } = job;
  const letters = kindsOf(job).map(({ letter }) => letter);
  const { queued = 0, sent = 0, running = 0, succeeded = 0 } = counts;
  const share = finished ? succeeded - failedCommands : total - queued - sent - running;
  return {
    before: [
      timeText(createdAtMs).slice(5, 16),
      stateText(job),
      ID_END.exec(id)?.[0] ?? id,
      letters.join("") || "-",
    ],
    call: callText(job),
    kinds: "",
    after: [`${share}/${total} ${finished ? "ok" : "ended"}`],
  };
}

function tableOf(rows: readonly JobRow[], room = Infinity): string {
  return renderTable(
    rows.map((row) => [
      ...row.before,
      cut(row.call, room - row.kinds.length) + row.kinds,
      ...row.after,
    ]),
  );
}

function callCell({ call, kinds }: JobRow): string {
  return call + kinds;
}

/** What other columns leave for the calls. */
function roomFor(rows: readonly JobRow[], columns: number): number {
  const widths: number[] = [];
  for (const { before, after } of rows) {
    [...before, ...after].forEach((cell, at) => {
      widths[at] = Math.max(widths[at] ?? 0, cell.length);
    });
  }
  return widths.reduce((room, width) => room - width - GAP, columns);
}

function cut(text: string, room: number): string {
  return text.length <= room ? text : `${text.slice(0, Math.max(0, room - 1))}…`;
}

/** What is to be known of how a job goes on, or whom it is for. */
function kindsOf({ async, delegate, batch, originator }: JobSummary): {
  letter: string;
  name: string;
}[] {
  return [
    ...(async ? [{ letter: "a", name: "async" }] : []),
    ...(delegate && originator === undefined ? [{ letter: "d", name: "delegated" }] : []),
    ...(batch ? [{ letter: "s", name: "in steps" }] : []),
    ...(originator === undefined ? [] : [{ letter: "f", name: `for ${originator}` }]),
  ];
}

/** How a job stands, in one word; the words that `--state` takes, and "cancelling". */
export function stateText(job: JobSummary): string {
  if (!job.finished) return job.cancelRequested ? "cancelling" : "running";
  return allWell(job) ? "finished" : "problems";
}

/** `module.method arguments` on one line, whatever the arguments hold. */
export function callText({ module, method, argsText }: JobSummary): string {
  return `${module}.${method}${argsText ? ` ${argsText}` : ""}`.replace(/\s+/g, " ");
}

/** `3 succeeded, 1 with another exit status than 0, 1 failed`. */
export function countsText({ counts, failedCommands }: JobSummary): string {
  return stateCounts(counts, failedCommands)
    .map(({ name, count }) => `${count} ${name}`)
    .join(", ");
}

/** What there is to say about a job as a whole; lines that end with a newline. */
export function jobHeading(job: JobSummary): string {
  const { batch, maxErrors, attempts, startedBy, originator, finishedAtMs, createdAtMs } = job;
  const kinds = [...(job.async ? ["async"] : []), ...(job.delegate ? ["delegated"] : [])];
  const by = [startedBy, originator && `for ${originator}`].filter((part) => part).join(" ");
  const steps = [
    batch?.canary === undefined ? [] : [`first ${batch.canary}`],
    batch?.size === undefined ? [] : [`${batch.size} at a time`],
    maxErrors === undefined ? [] : [`until more than ${maxErrors} have failed`],
  ].flat();
  const ended = finishedAtMs === undefined ? "" : `, ended ${timeText(finishedAtMs)}`;
  const lines = [
    ["job", job.id],
    ["call", `${callText(job)}${kinds.length > 0 ? ` (${kinds.join(", ")})` : ""}`],
    ...(job.mapFile === undefined ? [] : [["map", job.mapFile]]),
    ["minions", `${job.total} of ${targetsText(job)}`],
    ...(steps.length > 0 ? [["steps", steps.join(", ")]] : []),
    ["began", `${timeText(createdAtMs)}${by === "" ? "" : ` by ${by}`}${ended}`],
    ["state", `${stateText(job)}: ${countsText(job)}`],
    ...(attempts === undefined || attempts < 2 ? [] : [["attempts", String(attempts)]]),
  ];
  return lines.map(([name = "", text = ""]) => `${`${name}:`.padEnd(10)}${text}\n`).join("");
}

/** In UTC, to the second. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace("T", " ");
}
