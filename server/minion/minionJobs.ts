import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { NO_RESERVE, type Space } from "../common/diskReserve";
import { messageOf } from "../common/errors";
import type { Log } from "../common/log";
import { makeFolders } from "../common/makeFolders";
import { currentBootId } from "../common/processIdentity";
import { toJson } from "../wire/jsonValue";
import type { XmlRpcValue } from "../wire/value";
import { adoptCommandJob, runCommandJob } from "./commandJob";
import { JobFolder, type JobRecord, type JobResult } from "./jobFolder";
import { newJobId } from "./jobId";
import { jobsToDrop } from "./jobRetention";
import { jobValue } from "./jobValue";
import { FUNC_EXCEPTION, LOST, MethodError, toRemoteError } from "./methodError";
import type { CommandSpec } from "./minionModule";
import { OutputLooks } from "./outputLooks";

export const STATUS_RUNNING = 0;
export const STATUS_FINISHED = 1;
export const STATUS_UNKNOWN = 2;

const MAX_RUNNING = 1_000;
const MAX_KEPT = 50_000;
const PURGE_EVERY_MS = 10 * 60_000;

export interface JobStart {
  /** Name of the method, without "async.". */
  method: string;
  argumentsDigest: string;
  /** See callOwner. */
  owner: string;
  callId?: string;
  /** See JobRecord. */
  signed?: boolean;
  /** What to do: a command that outlives funcd, or work inside it, which never rejects. */
  work: CommandSpec | ((signal: AbortSignal) => Promise<XmlRpcValue>);
}

interface Job {
  record: JobRecord;
  folder: JobFolder;
  cancelling: AbortController;
  finishedAtMs?: number;
  /** Whoever started it keeps the result. */
  acknowledged?: boolean;
  /** Of its outputs, once it has ended. */
  bytes?: number;
  /** Settles once the job has ended and its result is kept. */
  ended: Promise<void>;
  /** Only where the result could not be written. */
  unwritten?: XmlRpcValue;
}

interface Started {
  method: string;
  argumentsDigest: string;
  id: Promise<string>;
}

/**
 * The async jobs of this minion, one folder each. A job's record is on the disk before it starts and
 * its result before it counts as finished.
 */
export class MinionJobs {
  readonly #root: string;
  readonly #log: Log;
  readonly #space: Space;
  readonly #jobs = new Map<string, Job>();
  readonly #byCall = new Map<string, Started>();
  readonly #looks = new OutputLooks();
  readonly #closing = new AbortController();
  #purging: NodeJS.Timeout | undefined;
  #running = 0;

  private constructor(root: string, log: Log, space: Space) {
    this.#root = root;
    this.#log = log;
    this.#space = space;
  }

  /** Reads the jobs of earlier times: adopts commands that still run, tells what became of the others. */
  static async open(root: string, log: Log, space: Space = NO_RESERVE): Promise<MinionJobs> {
    const jobs = new MinionJobs(root, log, space);
    await makeFolders(root);
    for (const name of await readdir(root)) await jobs.#load(new JobFolder(join(root, name)));
    await jobs.purge(Date.now());
    jobs.#purging = setInterval(() => void jobs.purge(Date.now()), PURGE_EVERY_MS);
    jobs.#purging.unref();
    return jobs;
  }

  /**
   * Starts a job and answers its id once the record is on the disk. A repeat of a call id by the same
   * caller gets the id of the job it started before. Throws MethodError.
   */
  start(start: JobStart): Promise<string> {
    if (start.callId === undefined) return this.#begin(start);
    const key = callKey(start.owner, start.callId);
    const earlier = this.#byCall.get(key);
    if (earlier) {
      if (earlier.method === start.method && earlier.argumentsDigest === start.argumentsDigest) {
        return earlier.id;
      }
      throw new MethodError(
        FUNC_EXCEPTION,
        `the call id of this ${start.method} was used for another call (${earlier.method})`,
      );
    }
    const id = this.#begin(start);
    this.#byCall.set(key, { ...start, id });
    id.catch(() => this.#byCall.delete(key));
    return id;
  }

  /** The original's answer: `[0, -1]` running, `[1, result]` finished, `[2, 0]` unknown. */
  async status(id: string): Promise<XmlRpcValue[]> {
    const job = this.#jobs.get(id);
    if (!job) return [STATUS_UNKNOWN, 0];
    if (job.finishedAtMs === undefined) return [STATUS_RUNNING, -1];
    return [STATUS_FINISHED, job.unwritten ?? (await jobValue(job.folder))];
  }

  /** Settles once the job has ended, `isNew` (asked again and again) answers true, or `signal` is aborted. */
  async waitFor(id: string, signal: AbortSignal, isNew?: () => Promise<boolean>): Promise<void> {
    const job = this.#jobs.get(id);
    if (!job || signal.aborted) return;
    const over = new AbortController();
    const done = (): void => {
      over.abort();
    };
    signal.addEventListener("abort", done);
    void job.ended.then(done);
    await this.#looks.until(isNew ?? (() => Promise.resolve(false)), over.signal);
    signal.removeEventListener("abort", done);
  }

  /** The call id of a job whose result is to be signed; undefined for all others. */
  signedCallOf(id: string): string | undefined {
    const record = this.#jobs.get(id)?.record;
    return record?.signed === true ? record.callId : undefined;
  }

  /** True while the job runs and has outputs that can grow. */
  mayWrite(id: string): boolean {
    const job = this.#jobs.get(id);
    return job?.record.kind === "command" && job.finishedAtMs === undefined;
  }

  /** Notes that these results are kept elsewhere, of jobs of these callers that have ended; tells how many. */
  async acknowledge(ids: readonly string[], ...owners: string[]): Promise<number> {
    let count = 0;
    for (const id of new Set(ids)) {
      const job = this.#jobs.get(id);
      if (job?.finishedAtMs === undefined || !owners.includes(job.record.owner)) continue;
      count++;
      if (job.acknowledged) continue;
      job.acknowledged = true;
      // without the note the job only stays longer
      await job.folder.acknowledge().catch(() => undefined);
    }
    return count;
  }

  /** What became of the caller's async call of this call id. */
  async callState(callId: string, owner: string): Promise<"unknown" | "running" | "ended"> {
    const started = this.#byCall.get(callKey(owner, callId));
    if (!started) return "unknown";
    const id = await started.id.catch(() => undefined);
    const job = id === undefined ? undefined : this.#jobs.get(id);
    if (!job) return "unknown";
    return job.finishedAtMs === undefined ? "running" : "ended";
  }

  /** True where the caller's call of this id was begun, and its job is kept. */
  hasCall(callId: string, owner: string): boolean {
    return this.#byCall.has(callKey(owner, callId));
  }

  /** Asks a running job to end. `id` may be the call id that the same caller started it with. False where none runs. */
  async cancel(id: string, owner: string): Promise<boolean> {
    const byCall = this.#byCall.get(callKey(owner, id));
    const job = this.#jobs.get(byCall ? await byCall.id : id);
    if (job?.finishedAtMs !== undefined || !job) return false;
    job.cancelling.abort();
    return true;
  }

  /**
   * True where `id` is that of a job which another caller has started. Call ids are each caller's own.
   */
  isOthers(id: string, owner: string): boolean {
    const job = this.#jobs.get(id);
    return job !== undefined && job.record.owner !== owner;
  }

  /** The folder of a job, for its outputs; undefined where the id is unknown. */
  folderOf(id: string): JobFolder | undefined {
    return this.#jobs.get(id)?.folder;
  }

  /** Drops what retention no longer keeps. */
  async purge(nowMs: number): Promise<void> {
    const kept = [...this.#jobs].map(([id, { finishedAtMs, acknowledged, bytes }]) => {
      return { id, finishedAtMs, acknowledged, bytes };
    });
    for (const id of jobsToDrop(kept, nowMs)) {
      const job = this.#jobs.get(id);
      if (!job) continue;
      this.#forget(id, job);
      await job.folder.remove().catch((error: unknown) => {
        this.#log.warn("a job's folder cannot be removed", { id, problem: messageOf(error) });
      });
    }
  }

  /** Ends the work inside funcd; commands go on, for the next funcd to adopt. */
  async close(): Promise<void> {
    clearInterval(this.#purging);
    this.#closing.abort();
    const inside: Promise<void>[] = [];
    for (const job of this.#jobs.values()) {
      if (job.finishedAtMs !== undefined || job.record.kind === "command") continue;
      job.cancelling.abort();
      inside.push(job.ended);
    }
    await Promise.race([Promise.all(inside), timeout(1_000)]);
  }

  async #begin(start: JobStart): Promise<string> {
    if (this.#running >= MAX_RUNNING || this.#jobs.size >= MAX_KEPT) {
      throw new MethodError(
        FUNC_EXCEPTION,
        `this minion runs ${this.#running} and keeps ${this.#jobs.size} jobs, and takes no more for now`,
      );
    }
    this.#running++;
    const { work, ...rest } = start;
    const kind = typeof work === "function" ? "inside" : "command";
    const record: JobRecord = { ...rest, id: newJobId(), kind, startedAtMs: Date.now() };
    record.bootId = currentBootId();
    let folder: JobFolder;
    try {
      folder = await this.#space.spend(() => JobFolder.create(this.#root, record));
    } catch (error) {
      this.#running--;
      throw error;
    }
    this.#add(record, folder, async (signal) =>
      typeof work === "function"
        ? { value: toJson(await work(signal)) }
        : { rc: await runCommandJob(folder, work, signal) },
    );
    return record.id;
  }

  #add(
    record: JobRecord,
    folder: JobFolder,
    work: (signal: AbortSignal) => Promise<Omit<JobResult, "finishedAtMs">>,
  ): void {
    const cancelling = new AbortController();
    const job: Job = { record, folder, cancelling, ended: Promise.resolve() };
    this.#jobs.set(record.id, job);
    job.ended = this.#finish(job, work(cancelling.signal));
  }

  async #finish(job: Job, work: Promise<Omit<JobResult, "finishedAtMs">>): Promise<void> {
    let result: Omit<JobResult, "finishedAtMs">;
    try {
      result = await work;
    } catch (error) {
      result = { value: toJson(toRemoteError(error)) };
    }
    this.#running--;
    // what ends because funcd does is told as lost by the next one; a command still runs
    if (this.#closing.signal.aborted) return;
    const finishedAtMs = Date.now();
    try {
      await this.#space.spend(() => job.folder.writeResult({ ...result, finishedAtMs }));
    } catch (error) {
      job.unwritten = toRemoteError(
        new MethodError(FUNC_EXCEPTION, `the result could not be kept: ${messageOf(error)}`),
      );
      this.#log.error("a job's result cannot be written", { problem: messageOf(error) });
    }
    job.bytes = await outputBytes(job.folder);
    job.finishedAtMs = finishedAtMs;
  }

  async #load(folder: JobFolder): Promise<void> {
    try {
      const record = await folder.readRecord();
      const result = await folder.readResult();
      if (record.callId !== undefined) {
        const key = callKey(record.owner, record.callId);
        this.#byCall.set(key, { ...record, id: Promise.resolve(record.id) });
      }
      if (result) {
        const { finishedAtMs } = result;
        const cancelling = new AbortController();
        const ended = Promise.resolve();
        const acknowledged = await folder.isAcknowledged();
        const bytes = await outputBytes(folder);
        const state = { cancelling, finishedAtMs, acknowledged, bytes, ended };
        this.#jobs.set(record.id, { record, folder, ...state });
        return;
      }
      this.#running++;
      this.#add(record, folder, (signal) => this.#adopt(record, folder, signal));
    } catch (error) {
      this.#log.warn("a job's folder cannot be read and is left as it is", {
        folder: folder.path,
        problem: messageOf(error),
      });
    }
  }

  async #adopt(record: JobRecord, folder: JobFolder, signal: AbortSignal): Promise<{ rc: number }> {
    if (record.kind === "command") {
      return { rc: await adoptCommandJob(folder, record, signal, this.#closing.signal) };
    }
    throw new MethodError(LOST, `lost: funcd restarted while ${record.method} ran inside it`);
  }

  #forget(id: string, job: Job): void {
    this.#jobs.delete(id);
    const { owner, callId } = job.record;
    if (callId !== undefined) this.#byCall.delete(callKey(owner, callId));
  }
}

async function outputBytes(folder: JobFolder): Promise<number> {
  const sizes = (["stdout", "stderr"] as const).map((name) => folder.outputSize(name));
  return (await Promise.all(sizes).catch(() => [])).reduce((sum, size) => sum + size, 0);
}

/** Call ids of one caller say nothing about another's. */
function callKey(owner: string, callId: string): string {
  return `${owner} ${callId}`;
}

function timeout(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}
