import type { XmlRpcValue } from "../wire/value";
import type { JobFolder, OutputName } from "./jobFolder";
import { FUNC_EXCEPTION, MethodError } from "./methodError";
import type { MinionJobs } from "./minionJobs";

/** The most that one answer has of an output. */
export const MAX_READ_BYTES = 256 * 1024;

const PROGRESS = /^Progress report (\d{1,15})\/(\d{1,15}) completed\s*$/;
const TAIL_LINES = 50;
/** The end of an output is read no more often while somebody waits for progress. */
const PROGRESS_EVERY_MS = 500;

export interface OutputRequest {
  stream: OutputName;
  offset: number;
  length: number;
  /** How long to wait for more than `offset` bytes. */
  waitMs: number;
  /** Bytes of the other stream that are known: the wait ends as well once it has more. */
  knownOfOther?: number;
}

/**
 * A part of what a job has written: `[bytes, size so far, ended]`, and the size of the other stream where
 * `knownOfOther` is given. What a background process adds after the job's end is not waited for.
 * Throws MethodError where there is no such job.
 */
export async function readOutput(
  jobs: MinionJobs,
  id: string,
  request: OutputRequest,
  signal: AbortSignal,
): Promise<XmlRpcValue[]> {
  const { stream, offset, length, waitMs, knownOfOther } = request;
  const other = stream === "stdout" ? "stderr" : "stdout";
  const folder = jobs.folderOf(id);
  if (!folder) throw new MethodError(FUNC_EXCEPTION, `no such job: ${id.slice(0, 100)}`);
  const hasMore = async (): Promise<boolean> =>
    (await folder.outputSize(stream)) > offset ||
    (knownOfOther !== undefined && (await folder.outputSize(other)) > knownOfOther);
  if (waitMs > 0 && jobs.mayWrite(id) && !(await hasMore())) {
    await jobs.waitFor(id, AbortSignal.any([signal, AbortSignal.timeout(waitMs)]), hasMore);
  }
  // asked before the sizes: they are final where the job had ended by then
  const ended = !jobs.mayWrite(id);
  const sizeOfOther = knownOfOther === undefined ? [] : [await folder.outputSize(other)];
  const { bytes, size } = await folder.readRange(stream, offset, length);
  return [bytes, size, ended, ...sizeOfOther];
}

/** [done, total] of the job's last line "Progress report N/M completed"; zeros where it wrote none. */
export async function progressOf(folder: JobFolder): Promise<[number, number]> {
  for (const line of (await folder.tail("stdout", TAIL_LINES)).split("\n").reverse()) {
    const match = PROGRESS.exec(line);
    if (match) return [Number(match[1]), Number(match[2])];
  }
  return [0, 0];
}

/** Asks whether a job's progress is another than `knownDone`; to be asked often. */
export function progressLook(folder: JobFolder, knownDone: number): () => Promise<boolean> {
  let lastSize = -1;
  let lookedAt = -Infinity;
  return async () => {
    if (performance.now() - lookedAt < PROGRESS_EVERY_MS) return false;
    lookedAt = performance.now();
    const size = await folder.outputSize("stdout");
    if (size === lastSize) return false;
    lastSize = size;
    return (await progressOf(folder))[0] !== knownDone;
  };
}
