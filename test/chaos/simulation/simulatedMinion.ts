import { JOB_LOST, remoteError } from "../../../server/wire/remoteError";
import type { XmlRpcValue } from "../../../server/wire/value";
import type { Random } from "../../fuzz/random";
import type { VirtualClock } from "./virtualClock";

interface Work {
  id: string;
  token: string;
  pid: number;
  endsAtMs: number;
  stopped: boolean;
}

const MOST_DISK_MS = 10;
const GIVEN_UP = remoteError("func.minion.codes.FuncException", "was given up; not run");

/** A host: funcd, which may be killed at any moment, and work that goes on without it. */
export class SimulatedMinion {
  isUp = true;
  /** Processes that began, by token: the truth. */
  readonly starts = new Map<string, number[]>();
  /** On the disk. */
  readonly #jobs = new Map<string, Work>();
  readonly #byCall = new Map<string, string>();
  readonly #begunSync = new Set<string>();
  readonly #acknowledged = new Set<string>();
  /** Ids of calls that their caller was told were never begun: they never are. */
  readonly #void = new Set<string>();
  /** In the memory of this funcd. */
  #syncCalls = new Map<string, Promise<XmlRpcValue>>();
  #starting = new Map<string, Promise<string>>();
  /** Grows with each funcd. */
  #life = 0;
  #died = deferred();
  #pids = 0;

  constructor(
    readonly name: string,
    /** False for one of the original: it knows nothing of ids of calls. */
    readonly native: boolean,
    private readonly clock: VirtualClock,
    private readonly random: Random,
  ) {}

  /** Kills funcd; work goes on. */
  kill(): void {
    this.isUp = false;
    this.#life++;
    this.#died.resolve();
    this.#died = deferred();
    this.#syncCalls = new Map();
    this.#starting = new Map();
  }

  start(): void {
    this.isUp = true;
  }

  get life(): number {
    return this.#life;
  }

  /** Settles when the funcd that runs now is killed. */
  get died(): Promise<void> {
    return this.#died.promise;
  }

  /** The answer; never settles where funcd is killed first. */
  async answer(
    method: string,
    params: readonly XmlRpcValue[],
    callId?: string,
  ): Promise<XmlRpcValue> {
    const life = this.#life;
    const value = await this.#answer(method, params, this.native ? callId : undefined);
    if (life !== this.#life) await new Promise(() => undefined);
    return value;
  }

  async #answer(
    method: string,
    params: readonly XmlRpcValue[],
    callId: string | undefined,
  ): Promise<XmlRpcValue> {
    const [given, second] = params;
    const first = textOf(given);
    switch (method) {
      case "async.command.run":
        return this.#startJob(first, callId);
      case "command.run":
        return this.#runSync(first, callId);
      case "jobs.job_status":
        return this.#status(first);
    }
    if (!this.native) return remoteError("func.minion.codes.InvalidMethodException", "");
    switch (method) {
      case "jobs.wait":
        return this.#wait(first, Number(second));
      case "jobs.acknowledge":
        for (const id of Array.isArray(given) ? given : []) this.#acknowledged.add(textOf(id));
        return Array.isArray(given) ? given.length : 0;
      case "jobs.call_state":
        return this.#callState(first);
      case "jobs.cancel":
        return this.#cancel(first);
      default:
        return remoteError("func.minion.codes.InvalidMethodException", "");
    }
  }

  /** "TOKEN MILLISECONDS": the record is on the disk before the work begins. */
  #startJob(command: string, callId: string | undefined): Promise<XmlRpcValue> {
    const known = callId === undefined ? undefined : this.#byCall.get(callId);
    if (known !== undefined) return Promise.resolve(known);
    const under = callId === undefined ? undefined : this.#starting.get(callId);
    if (under) return under;
    if (this.#isVoid(callId)) return Promise.resolve(GIVEN_UP);
    const life = this.#life;
    const starting = (async () => {
      await this.clock.sleep(this.random.below(MOST_DISK_MS));
      if (life !== this.#life) return "";
      const work = this.#begin(command);
      this.#jobs.set(work.id, work);
      if (callId !== undefined) this.#byCall.set(callId, work.id);
      return work.id;
    })();
    if (callId !== undefined) this.#starting.set(callId, starting);
    return starting;
  }

  #runSync(command: string, callId: string | undefined): Promise<XmlRpcValue> {
    const known = callId === undefined ? undefined : this.#syncCalls.get(callId);
    if (known) return known;
    if (this.#isVoid(callId)) return Promise.resolve(GIVEN_UP);
    const run = async (): Promise<XmlRpcValue> => {
      const life = this.#life;
      if (callId !== undefined && this.#begunSync.has(callId)) {
        return remoteError(JOB_LOST, "was begun before; not run again");
      }
      await this.clock.sleep(this.random.below(MOST_DISK_MS));
      if (life !== this.#life) return null;
      if (callId !== undefined) this.#begunSync.add(callId);
      const work = this.#begin(command);
      await this.clock.sleep(work.endsAtMs - this.clock.nowMs);
      return this.#result(work);
    };
    const running = run();
    if (callId !== undefined) this.#syncCalls.set(callId, running);
    return running;
  }

  #begin(command: string): Work {
    const [token = "", milliseconds = "0"] = command.split(" ");
    const pid = ++this.#pids;
    this.starts.set(token, [...(this.starts.get(token) ?? []), pid]);
    const endsAtMs = this.clock.nowMs + Number(milliseconds);
    return { id: `${this.clock.nowMs}.${pid}-minion`, token, pid, endsAtMs, stopped: false };
  }

  #status(id: string): XmlRpcValue[] {
    const work = this.#jobs.get(id);
    if (!work) return [2, 0];
    if (work.endsAtMs > this.clock.nowMs) return [0, -1];
    return [1, this.#result(work)];
  }

  async #wait(id: string, seconds: number): Promise<XmlRpcValue[]> {
    const untilMs = this.clock.nowMs + seconds * 1_000;
    const work = this.#jobs.get(id);
    while (work && work.endsAtMs > this.clock.nowMs && this.clock.nowMs < untilMs) {
      await this.clock.sleep(Math.min(100, untilMs - this.clock.nowMs));
    }
    return this.#status(id);
  }

  #result({ token, pid, stopped, id }: Work): XmlRpcValue {
    if (this.#acknowledged.has(id)) return remoteError(JOB_LOST, "its result was acknowledged");
    return [stopped ? -15 : 0, stopped ? "" : `${token} ${pid}\n`, ""];
  }

  #callState(callId: string): string {
    const id = this.#byCall.get(callId);
    const work = id === undefined ? undefined : this.#jobs.get(id);
    if (work) return work.endsAtMs > this.clock.nowMs ? "running" : "ended";
    if (this.#starting.has(callId)) return "running";
    if (this.#syncCalls.has(callId)) return "running";
    if (this.#begunSync.has(callId)) return "ended";
    this.#void.add(callId);
    return "unknown";
  }

  #isVoid(callId: string | undefined): boolean {
    return callId !== undefined && this.#void.has(callId);
  }

  #cancel(id: string): boolean {
    const work = this.#jobs.get(this.#byCall.get(id) ?? id);
    if (!work || work.endsAtMs <= this.clock.nowMs) return false;
    work.stopped = true;
    work.endsAtMs = this.clock.nowMs;
    return true;
  }
}

function textOf(value: XmlRpcValue | undefined): string {
  return typeof value === "string" ? value : "";
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}
