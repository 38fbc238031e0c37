import { setTimeout as sleep } from "node:timers/promises";
import type { MinionCaller, MinionCallOutcome } from "../../calls/minionCaller";
import { isPassing } from "../../calls/overlordErrors";
import { onAbort } from "../../common/onAbort";
import type { OutputOffsets } from "../../protocol/jobs";
import type { MinionRecord } from "../../protocol/minions";
import { XmlRpcSpooled, type XmlRpcValue } from "../../wire/value";
import { readJobAnswer } from "../engine/jobAnswer";
import { Turns } from "../engine/turns";

/** With those of AsyncCollector 2,000: each takes a connection and some memory at both ends. */
const MAX_HELD = 500;
const MAX_POLLS = 64;
const WAIT_SECONDS = 25;
/** When others wait for their turn. */
const SHORT_WAIT_SECONDS = 2;
/** How much later than promised an answer may come. */
const GRACE_MS = 15_000;
/** Who asks so shortly after another gets the same answer, and goes on in step with it. */
const KEEP_MS = 200;

/** What a minion has of a job's output beyond what is known. */
export type OutputRead =
  | { kind: "output"; stdout: Uint8Array; stderr: Uint8Array; ended: boolean }
  /** It does not have the method that was asked. */
  | { kind: "no-such-method" }
  /** It cannot be reached at this moment, or does not answer. */
  | { kind: "away"; message: string }
  /** It does not know the job, or lets nobody ask. */
  | { kind: "refused"; message: string };

export interface OutputPlace {
  minion: MinionRecord;
  minionJobId: string;
  /** Of a call behind the minion, which then is a hop. */
  callId?: string;
}

interface Shared {
  result: Promise<OutputRead>;
  users: number;
  settled: boolean;
  controller: AbortController;
}

/** Reads what jobs write on minions; those that wait for the same share one request. */
export class OutputReads {
  readonly #held = new Turns(MAX_HELD);
  readonly #polls = new Turns(MAX_POLLS);
  readonly #shared = new Map<string, Shared>();

  constructor(private readonly caller: Pick<MinionCaller, "call">) {}

  /**
   * At most `length` bytes of each stream beyond `known`; waits until there are some, or the job has ended, for
   * about `waitSeconds` (25 without). Rejects only where `signal` is aborted.
   */
  async read(
    place: OutputPlace,
    known: OutputOffsets,
    length: number,
    signal: AbortSignal,
    waitSeconds = WAIT_SECONDS,
  ): Promise<OutputRead> {
    signal.throwIfAborted();
    const { name } = place.minion;
    const key = [
      name,
      place.minionJobId,
      place.callId,
      known.stdout,
      known.stderr,
      waitSeconds,
    ].join(" ");
    const shared = this.#shared.get(key) ?? this.#begin(key, place, known, length, waitSeconds);
    shared.users++;
    let stopListening = (): void => undefined;
    const aborted = new Promise<never>((_resolve, reject) => {
      stopListening = onAbort(signal, () => {
        reject(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
      });
    });
    try {
      return await Promise.race([shared.result, aborted]);
    } finally {
      stopListening();
      if (--shared.users === 0) this.#leave(key, shared);
    }
  }

  /** The end of a job's log, as minions of the original give it. Rejects only where `signal` is aborted. */
  async tail(
    { minion, minionJobId }: OutputPlace,
    signal: AbortSignal,
  ): Promise<{ kind: "tail"; text: string } | Exclude<OutputRead, { kind: "output" }>> {
    const outcome = await this.#polls.take(signal, () =>
      this.caller.call(minion, "jobs.tail_output", [minionJobId], { timeoutMs: GRACE_MS, signal }),
    );
    signal.throwIfAborted();
    if (outcome.state !== "succeeded") return problemOf(outcome);
    const { value } = outcome;
    const text = Array.isArray(value) ? value[0] : undefined;
    if (typeof text === "string") return { kind: "tail", text };
    if (text instanceof Uint8Array) return { kind: "tail", text: Buffer.from(text).toString() };
    if (text instanceof XmlRpcSpooled) {
      const message = `The last lines of the job's log on ${minion.name} have ${text.bytes} bytes, which is too much to be followed.`;
      return { kind: "refused", message };
    }
    return unreadable(minion);
  }

  #begin(
    key: string,
    place: OutputPlace,
    known: OutputOffsets,
    length: number,
    waitSeconds: number,
  ): Shared {
    const controller = new AbortController();
    const result = this.#ask(place, known, length, waitSeconds, controller.signal);
    const shared: Shared = { result, users: 0, settled: false, controller };
    this.#shared.set(key, shared);
    const forget = async (): Promise<void> => {
      shared.settled = true;
      await sleep(KEEP_MS, undefined, { ref: false });
      if (this.#shared.get(key) === shared) this.#shared.delete(key);
    };
    result.then(forget, forget).catch(() => undefined);
    return shared;
  }

  /** Nobody waits for it any more, at this moment. */
  #leave(key: string, shared: Shared): void {
    if (shared.settled) return;
    this.#shared.delete(key);
    shared.controller.abort(new Error("nobody waits"));
  }

  async #ask(
    { minion, minionJobId, callId }: OutputPlace,
    known: OutputOffsets,
    length: number,
    waitSeconds: number,
    signal: AbortSignal,
  ): Promise<OutputRead> {
    const read = async (params: XmlRpcValue[], waitMs: number): Promise<Part | OutputRead> => {
      const options = { timeoutMs: waitMs + GRACE_MS, signal };
      const outcome =
        callId === undefined
          ? await this.caller.call(minion, "jobs.read_output", [minionJobId, ...params], options)
          : await this.caller.call(
              minion,
              "delegation.read_output",
              [minionJobId, callId, ...params],
              options,
            );
      signal.throwIfAborted();
      return outcome.state === "succeeded" ? partOf(outcome.value, minion) : problemOf(outcome);
    };
    return this.#held.take(signal, async () => {
      const most = this.#held.waiting > 0 ? SHORT_WAIT_SECONDS : WAIT_SECONDS;
      const seconds = Math.min(most, waitSeconds);
      const first = ["stdout", known.stdout, length, seconds, known.stderr];
      const out = await read(first, seconds * 1_000);
      if ("kind" in out) return out;
      const sizeOfErr = out.sizeOfOther ?? 0;
      const nothing = { bytes: new Uint8Array(), size: sizeOfErr, ended: out.ended };
      const more = sizeOfErr > known.stderr;
      const err = more ? await read(["stderr", known.stderr, length, 0], 0) : nothing;
      if ("kind" in err) return err;
      const isWhole =
        known.stdout + out.bytes.length >= out.size && known.stderr + err.bytes.length >= err.size;
      const ended = out.ended && isWhole;
      return { kind: "output", stdout: out.bytes, stderr: err.bytes, ended };
    });
  }
}

interface Part {
  bytes: Uint8Array;
  size: number;
  ended: boolean;
  sizeOfOther?: number;
}

function partOf(value: XmlRpcValue, minion: MinionRecord): Part | OutputRead {
  if (!Array.isArray(value)) return unreadable(minion);
  const [bytes, size, ended, sizeOfOther] = value;
  if (!(bytes instanceof Uint8Array) || typeof size !== "number" || typeof ended !== "boolean") {
    return unreadable(minion);
  }
  return { bytes, size, ended, ...(typeof sizeOfOther === "number" && { sizeOfOther }) };
}

function unreadable({ name }: MinionRecord): Exclude<OutputRead, { kind: "output" }> {
  return {
    kind: "refused",
    message: `What ${name} says of its job's output cannot be understood.`,
  };
}

function problemOf(
  outcome: Exclude<MinionCallOutcome, { state: "succeeded" }>,
): Exclude<OutputRead, { kind: "output" }> {
  const { message, type } = outcome.error;
  if (!outcome.answered || isPassing(type)) return { kind: "away", message };
  const answer = readJobAnswer(["REMOTE_ERROR", type, message]);
  if (answer.kind === "no-such-method") return { kind: "no-such-method" };
  return { kind: "refused", message };
}
