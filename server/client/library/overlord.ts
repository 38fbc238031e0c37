import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { FuncError } from "../../common/errors";
import {
  FINAL_STATES,
  JOB_ID_FINISHED,
  JOB_ID_PARTIAL,
  type JobCode,
  type MinionResult,
} from "../../protocol/jobs";
import type { StartCallParams, TargetParams } from "../../protocol/requests";
import type { JsonValue } from "../../protocol/value";
import { bundledOverlord } from "../bundledOverlord";
import { dataDirectory } from "../dataDirectory";
import { KeptConnection } from "../keptConnection";
import { expandJson } from "../outputs";
import { checkedOptions } from "./checkOptions";
import { jobResults } from "./jobResults";
import { withModules } from "./modules";
import { outcomeOf, resultOf } from "./outcome";
import type {
  JobStatus,
  LogTail,
  MinionOutcome,
  Modules,
  OverlordConstructor,
  OverlordMethods,
  OverlordOptions,
  Progress,
  RequestOptions,
  Result,
  Results,
} from "./overlordTypes";
import { remoteErrorIn } from "./remoteError";
import { startJob } from "./startJob";
import { callAndWait } from "./syncCall";
import { tailOf } from "./tailLog";
import { fromJson, toJson, type Argument } from "./values";

declare const __VERSION__: string;

const DEFAULT_JOB_IDS = 1_000;
/** Jobs are asked for in pages of this many. */
const JOB_PAGE = 500;

/** Throws FuncError "bad-argument" for a map that nothing is called by. */
function delegation({ delegate, mapfile }: OverlordOptions): Partial<TargetParams> {
  if (!delegate && mapfile !== undefined) {
    throw new FuncError("bad-argument", "mapfile is the map for delegate, which is not given.");
  }
  return {
    ...(delegate && { delegate }),
    ...(mapfile !== undefined && { mapFile: resolve(mapfile) }),
  };
}

/** Throws FuncError "not-found" for a folder that is not there, where none is to be made. */
function refuseMistyped({ home, create = false, start = true }: OverlordOptions): void {
  if (home === undefined || create || !start || existsSync(home)) return;
  throw new FuncError(
    "not-found",
    `There is no data directory ${resolve(home)}.`,
    "Correct home; create: true begins a new one there, with a CA of its own and no minions.",
  );
}

class OverlordObject implements OverlordMethods<string | Result | Results> {
  readonly #overlord: KeptConnection;
  readonly #targets: TargetParams;
  readonly #options: OverlordOptions;

  constructor(spec: string, given: OverlordOptions = {}) {
    const options = checkedOptions(given);
    const { home, exclude, start } = options;
    refuseMistyped(options);
    this.#options = options;
    this.#targets = { spec, ...(exclude !== undefined && { exclude }), ...delegation(options) };
    this.#overlord = new KeptConnection({
      dataDirectory: home === undefined ? dataDirectory() : resolve(home),
      kind: "library",
      version: __VERSION__,
      launch: bundledOverlord(),
      ...(start !== undefined && { start }),
    });
    return withModules(this, (module, method, args) => this.call(module, method, args));
  }

  async call(
    module: string,
    method: string,
    args: readonly Argument[] = [],
    { signal }: RequestOptions = {},
  ): Promise<string | Result | Results> {
    const { nforks, timeoutMs, deliveryLimitMs, batch, maxErrors, noglobs } = this.#options;
    const params: StartCallParams = {
      ...this.#targets,
      module,
      method,
      args: args.map((arg, at) => toJson(arg, `Argument ${at + 1} of ${module}.${method}`)),
      ...(nforks !== undefined && { nforks }),
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...(deliveryLimitMs !== undefined && { deliveryLimitMs }),
      ...(batch !== undefined && { batch }),
      ...(maxErrors !== undefined && { maxErrors }),
    };
    if (this.#options.async) {
      return startJob(this.#overlord, { ...params, async: true }, signal);
    }
    const only = noglobs ? await this.#onlyMinion(signal) : undefined;
    const results = await callAndWait(this.#overlord, params, signal);
    return only === undefined ? results : (results[only] ?? null);
  }

  async jobStatus(jobId: string, { signal }: RequestOptions = {}): Promise<JobStatus> {
    const { code, results } = await this.#overlord.request("jobs/status", { jobId }, { signal });
    if (code !== JOB_ID_FINISHED && code !== JOB_ID_PARTIAL) return [code, undefined];
    const known: Results = {};
    for (const [minion, json] of Object.entries(results ?? {})) {
      known[minion] = await this.#valueOf(minion, json, signal);
    }
    return [code, known];
  }

  async *results(
    jobId: string,
    { signal }: RequestOptions = {},
  ): AsyncGenerator<MinionOutcome, void, undefined> {
    for await (const result of jobResults(this.#overlord, jobId, signal)) {
      yield await outcomeOf(this.#overlord, result, signal);
    }
  }

  async wait(jobId: string, { signal }: RequestOptions = {}): Promise<Results> {
    const results: Results = {};
    for await (const result of jobResults(this.#overlord, jobId, signal)) {
      results[result.minion] = await resultOf(this.#overlord, result, signal);
    }
    return results;
  }

  async cancel(jobId: string, { signal }: RequestOptions = {}): Promise<void> {
    await this.#overlord.request("jobs/cancel", { jobId }, { signal });
  }

  async listMinions({ signal }: RequestOptions = {}): Promise<string[]> {
    const { names } = await this.#overlord.request("minions/match", this.#targets, { signal });
    return names;
  }

  async openJobIds({
    signal,
    limit = DEFAULT_JOB_IDS,
  }: RequestOptions & { limit?: number } = {}): Promise<{ [jobId: string]: JobCode }> {
    const codes = new Map<string, JobCode>();
    let cursor: string | undefined;
    while (codes.size < limit) {
      const page = await this.#overlord.request(
        "jobs/list",
        {
          limit: Math.min(JOB_PAGE, limit - codes.size),
          ...(cursor !== undefined && { cursor }),
        },
        { signal },
      );
      for (const { id, code } of page.jobs) codes.set(id, code);
      cursor = page.next;
      if (cursor === undefined) break;
    }
    return Object.fromEntries(codes);
  }

  async tailLog(jobId: string, minion: string, { signal }: RequestOptions = {}): Promise<LogTail> {
    return tailOf(this.#overlord, await this.#minionResult(jobId, minion, signal), signal);
  }

  async checkProgress(
    jobId: string,
    minion: string,
    { signal }: RequestOptions = {},
  ): Promise<Progress> {
    const { state, progress } = await this.#minionResult(jobId, minion, signal);
    const { done, total } = progress ?? { done: 0, total: 0 };
    return { done, total, finished: FINAL_STATES.has(state) };
  }

  close(): Promise<void> {
    this.#overlord.close();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #minionResult(
    jobId: string,
    minion: string,
    signal: AbortSignal | undefined,
  ): Promise<MinionResult> {
    return this.#overlord.request("jobs/result", { jobId, minion }, { signal });
  }

  async #valueOf(
    minion: string,
    json: JsonValue,
    signal: AbortSignal | undefined,
  ): Promise<Result> {
    const whole = await expandJson(this.#overlord, json, signal ? { signal } : {});
    return remoteErrorIn(minion, whole) ?? fromJson(whole, this.#overlord);
  }

  async #onlyMinion(signal: AbortSignal | undefined): Promise<string> {
    const names = await this.listMinions(signal ? { signal } : {});
    const [only] = names;
    if (only !== undefined && names.length === 1) return only;
    throw new FuncError(
      "bad-argument",
      `noglobs is for one minion, and "${this.#targets.spec}" matches ${names.length}.`,
      "Name one, or leave noglobs out.",
    );
  }
}

// its proxy has the modules that the class does not know
/**
 * Calls methods on minions: `await new Overlord("web*").command.run("uptime")` gives `{minion: result}`; with
 * `async: true` calls give a job's id. The overlord process is found, or started, as the command `func` does it.
 */
export const Overlord = OverlordObject as unknown as OverlordConstructor;
/** An object that calls methods on minions; `Reply` is what its calls answer. */
export type Overlord<Reply = Results> = OverlordMethods<Reply> & Modules<Reply>;

/**
 * The original's other name of `Overlord`.
 * @alias
 */
export const Client: OverlordConstructor = Overlord;
/** The original's other name of `Overlord`. */
export type Client<Reply = Results> = Overlord<Reply>;
