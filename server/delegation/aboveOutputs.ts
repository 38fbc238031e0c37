import type { MinionCaller, MinionCallOutcome } from "../calls/minionCaller";
import { reasonOfRemoteType } from "../calls/overlordErrors";
import { FuncError, type ErrorReason } from "../common/errors";
import { Turns } from "../jobs/engine/turns";
import { callIdIn } from "../jobs/jobId";
import type { OutputFiles } from "../jobs/outputs/outputFiles";
import { FINAL_STATES, type MinionResult } from "../protocol/jobs";
import type { MinionRecord } from "../protocol/minions";
import type { OverlordRequests } from "../protocol/requests";
import type { Inventory } from "../targets/inventory";
import type { XmlRpcValue } from "../wire/value";
import type { AboveJob } from "./aboveJobs";
import type { AboveProgress } from "./aboveProgress";

/** Each takes a connection and some memory at both ends. */
const MAX_HELD = 500;
/** When others wait for their turn. */
const SHORT_WAIT_MS = 2_000;
/** How much later than its wait a minion may answer. */
const GRACE_MS = 15_000;
/** The most that a minion gives at once. */
const MOST_OF_MINION = 256 * 1024;

type ReadParams = OverlordRequests["delegation/readOutput"]["params"];
type ReadAnswer = OverlordRequests["delegation/readOutput"]["result"];

export interface AboveOutputParts {
  caller: MinionCaller;
  inventory: Inventory;
  outputs: OutputFiles;
  progress: AboveProgress;
}

/** Reads for overlords above what their jobs' commands write, and the large parts of their results. */
export class AboveOutputs {
  readonly #held = new Turns(MAX_HELD);

  constructor(private readonly parts: AboveOutputParts) {}

  /**
   * As `jobs.read_output` of the host that the call id names, over the next hop where it stands behind one. Throws
   * FuncError "not-found" where it is not part of the job, or no longer known there, "unreachable" and others as calls
   * fail.
   */
  async readOutput(above: AboveJob, params: ReadParams, signal: AbortSignal): Promise<ReadAnswer> {
    const { job, record } = above;
    const name = record.minions.find(
      (minion) => callIdIn(record, minion.name) === params.callId,
    )?.name;
    if (name === undefined) throw notInJob(params);
    const { result } = await job.entry(name);
    if (result.minionJobId === undefined) return this.#nothingYet(above, result, params, signal);
    const { inventory } = this.parts;
    const path = record.minions.find((minion) => minion.name === name)?.path;
    // the one that has the job by now, where another failed
    const hop = path && (result.via ?? path)[0];
    const minion = inventory.find(hop ?? name);
    if (!minion) {
      throw new FuncError("not-found", `${hop ?? name} is not among the minions any more.`);
    }
    const { minionJobId } = result;
    return this.#held.take(signal, () => this.#ask(minion, minionJobId, hop, params, signal));
  }

  /** A range of an output that the job holds. Throws FuncError "not-found". */
  async readValue(
    { job }: AboveJob,
    { sha256, offset, length }: { sha256: string; offset: number; length: number },
  ): Promise<{ base64: string; bytes: number }> {
    const { outputs } = this.parts;
    if (!outputs.isHeldBy(job.id, sha256)) {
      throw new FuncError("not-found", `The job has no output ${sha256.slice(0, 12)}.`);
    }
    const { bytes, total } = await outputs.read(sha256, offset, length);
    return { base64: bytes.toString("base64"), bytes: total };
  }

  /** The host has no job of it: not yet, or it never will. */
  async #nothingYet(
    { job }: AboveJob,
    { state }: MinionResult,
    { waitMs, knownOfOther }: ReadParams,
    signal: AbortSignal,
  ): Promise<ReadAnswer> {
    const ended = FINAL_STATES.has(state);
    if (!ended && "signal" in job) await this.parts.progress.logOf(job).wait(waitMs, signal);
    return { base64: "", size: 0, ended, ...(knownOfOther !== undefined && { sizeOfOther: 0 }) };
  }

  async #ask(
    minion: MinionRecord,
    minionJobId: string,
    hop: string | undefined,
    { callId, stream, offset, length, waitMs, knownOfOther }: ReadParams,
    signal: AbortSignal,
  ): Promise<ReadAnswer> {
    const held = this.#held.waiting > 0 ? Math.min(waitMs, SHORT_WAIT_MS) : waitMs;
    const most = Math.min(length, MOST_OF_MINION);
    const rest: XmlRpcValue[] = [stream, offset, most, held / 1_000];
    if (knownOfOther !== undefined) rest.push(knownOfOther);
    const outcome = await this.parts.caller.call(
      minion,
      hop === undefined ? "jobs.read_output" : "delegation.read_output",
      hop === undefined ? [minionJobId, ...rest] : [minionJobId, callId, ...rest],
      { timeoutMs: held + GRACE_MS, signal },
    );
    if (outcome.state === "succeeded") return partOf(outcome.value, minion);
    const { message, nextStep } = outcome.error;
    throw new FuncError(reasonOf(outcome), message, nextStep);
  }
}

/** Whoever asks goes on asking where the host, or a hop on the way to it, is only away. */
function reasonOf(outcome: Exclude<MinionCallOutcome, { state: "succeeded" }>): ErrorReason {
  const { state, answered, error } = outcome;
  if (state !== "failed") return state;
  if (!answered) return "unreachable";
  return reasonOfRemoteType(error.type) ?? "not-found";
}

function partOf(value: XmlRpcValue, { name }: MinionRecord): ReadAnswer {
  const [bytes, size, ended, sizeOfOther] = Array.isArray(value) ? value : [];
  if (!(bytes instanceof Uint8Array) || typeof size !== "number" || typeof ended !== "boolean") {
    const message = `What ${name} says of its job's output cannot be understood.`;
    throw new FuncError("broken-answer", message);
  }
  const base64 = Buffer.from(bytes).toString("base64");
  return { base64, size, ended, ...(typeof sizeOfOther === "number" && { sizeOfOther }) };
}

function notInJob({ jobId, callId }: ReadParams): FuncError {
  const message = `The call ${callId.slice(0, 60)} is not part of job ${jobId.slice(0, 200)}.`;
  return new FuncError("not-found", message);
}
