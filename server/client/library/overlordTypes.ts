import type {
  BatchPlan,
  JobCode,
  JOB_ID_FINISHED,
  JOB_ID_LOST_IN_SPACE,
  JOB_ID_PARTIAL,
  JOB_ID_RUNNING,
  MinionCallState,
} from "../../protocol/jobs";
import type { RemoteMethod, RemoteName } from "./modules";
import type { RemoteError } from "./remoteError";
import type { Argument, Value } from "./values";

/** How an `Overlord` calls. The original's names are in parentheses where they differ. */
export interface OverlordOptions {
  /** Calls answer a job's id at once, and the work goes on as a job. Otherwise they answer the results. */
  async?: boolean;
  /** How many minions are called at the same time; default from overlord.yaml. */
  nforks?: number;
  /** Target expression of minions that are left out (exclude_spec). */
  exclude?: string;
  /** Minions behind sub-overlords are meant too, by the delegation map. */
  delegate?: boolean;
  /** With `delegate`: another map than the overlord's own; a relative path is this process's. */
  mapfile?: string;
  /** The one minion's bare result instead of `{minion: result}`; several minions are an error then. */
  noglobs?: boolean;
  /** Limit of the run on each minion, in milliseconds (timeout, in seconds); default from overlord.yaml. */
  timeoutMs?: number;
  /** Of async calls: how long to go on trying to reach a minion that is away, in milliseconds. */
  deliveryLimitMs?: number;
  /** Goes over the minions in steps; the next begins when the last has ended. */
  batch?: BatchPlan;
  /** With more failures than this no more minions are called. */
  maxErrors?: number;
  /** The overlord's data directory; default is FUNC_HOME, else the platform's place for application data. */
  home?: string;
  /** Where there is no folder `home`, a new one is begun; without it that is a FuncError "not-found". */
  create?: boolean;
  /** False: fails with "not-found" where no overlord runs, instead of starting one. */
  start?: boolean;
}

/** What one request is given besides. */
export interface RequestOptions {
  /**
   * Ends the waiting with a FuncError "cancelled". A call is cancelled with it as long as it is waited for; an async one
   * has its job's id soon, and then only `cancel` ends the job.
   */
  signal?: AbortSignal;
}

/** A final state of one minion in one job. */
export type FinalState = Exclude<MinionCallState, "queued" | "sent" | "running">;

/** A minion's value, or why there is none. */
export type Result = Value | RemoteError;

/** Minion to result. */
export interface Results {
  [minion: string]: Result;
}

/** One minion's result as it comes in. */
export type MinionOutcome = {
  minion: string;
  /** 2 and more where it was tried again. */
  attempt: number;
  /** When the call was sent. */
  startedAtMs?: number;
  durationMs?: number;
  /** The sub-overlords that the call went through, the first hop first. */
  via?: string[];
  /** The sub-overlord that could not be reached, or was lost from sight, on the way. */
  failedHop?: string;
  /** Of delegated results: whether the host itself has signed it. `first`: by a key that was seen for the first time. */
  signed?: "yes" | "first" | "no";
} & (
  | { state: "succeeded"; value: Value; error?: undefined }
  | { state: Exclude<FinalState, "succeeded">; error: RemoteError; value?: undefined }
);

/** The code of a job and the results so far, which are undefined for the codes 0 and 2. */
export type JobStatus =
  | [code: typeof JOB_ID_RUNNING | typeof JOB_ID_LOST_IN_SPACE, results: undefined]
  | [code: typeof JOB_ID_FINISHED | typeof JOB_ID_PARTIAL, results: Results];

/** The end of what a command has written. */
export interface LogTail {
  stdout: string;
  stderr: string;
  /** No more will come. */
  finished: boolean;
}

/** What a method reported by lines "Progress report 3/10 completed"; 0 of 0 without any. */
export interface Progress {
  done: number;
  total: number;
  finished: boolean;
}

/**
 * What an `Overlord` can do besides calling modules. A module of the minions that has one of these names is called with
 * `call`. All methods throw FuncError: "no-match" where the targets are wrong, "unavailable" where the overlord cannot
 * be reached, "cancelled" by a signal.
 */
export interface OverlordMethods<Reply> {
  /**
   * Calls `module.method` on all minions of the target expression: what `overlord.module.method(...args)` does, for
   * names that come from elsewhere and for calls with a signal.
   */
  call(
    module: string,
    method: string,
    args?: readonly Argument[],
    options?: RequestOptions,
  ): Promise<Reply>;
  /** Code and results of a job as they stand (job_status). An unknown job has the code JOB_ID_LOST_IN_SPACE. */
  jobStatus(jobId: string, options?: RequestOptions): Promise<JobStatus>;
  /**
   * The results of a job, those that are there and then each as it comes, once for each minion; ends with the job.
   * Goes on where the overlord is restarted meanwhile. Throws FuncError "not-found" where the job is unknown.
   */
  results(jobId: string, options?: RequestOptions): AsyncGenerator<MinionOutcome, void, undefined>;
  /** All results of a job, once it has ended. Throws as `results` does. */
  wait(jobId: string, options?: RequestOptions): Promise<Results>;
  /** Ends a job's work, on minions that are away as soon as they are back. */
  cancel(jobId: string, options?: RequestOptions): Promise<void>;
  /** Names of the minions that the target expression means (list_minions). */
  listMinions(options?: RequestOptions): Promise<string[]>;
  /** Ids of jobs, newest first, and their codes (open_job_ids); at most `limit`, 1,000 without. */
  openJobIds(options?: RequestOptions & { limit?: number }): Promise<{ [jobId: string]: JobCode }>;
  /** The last 50 lines that a job's command has written on one minion (tail_log). */
  tailLog(jobId: string, minion: string, options?: RequestOptions): Promise<LogTail>;
  /** How far a job is on one minion (check_progress). */
  checkProgress(jobId: string, minion: string, options?: RequestOptions): Promise<Progress>;
  /** Ends the connection; jobs and the overlord go on. A process may also just end without it. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The methods that every minion of this version has, for completion; others are called in the same way. */
export interface KnownModules<Reply> {
  readonly command: RemoteName<Reply> & {
    /** Runs a command line; gives `[exit status, stdout, stderr]`. */
    readonly run: RemoteMethod<Reply>;
    /** Whether a file exists. */
    readonly exists: RemoteMethod<Reply>;
  };
  readonly test: RemoteName<Reply> & {
    readonly add: RemoteMethod<Reply>;
    readonly echo: RemoteMethod<Reply>;
    readonly ping: RemoteMethod<Reply>;
    readonly sleep: RemoteMethod<Reply>;
  };
  readonly system: RemoteName<Reply> & {
    readonly list_methods: RemoteMethod<Reply>;
    readonly list_modules: RemoteMethod<Reply>;
  };
}

/** The minions' modules by name. */
export type Modules<Reply> = KnownModules<Reply> & { readonly [module: string]: RemoteName<Reply> };

/** Makes an `Overlord`. Nothing is connected before the first call. Throws FuncError for options that cannot be meant. */
export interface OverlordConstructor {
  /** Calls answer the id of a job. `spec` is a target expression: names, globs, "@group", separated by ";". */
  new (
    spec: string,
    options: OverlordOptions & { async: true },
  ): OverlordMethods<string> & Modules<string>;
  /** Calls answer the one minion's result. */
  new (
    spec: string,
    options: OverlordOptions & { async?: false; noglobs: true },
  ): OverlordMethods<Result> & Modules<Result>;
  /** Calls answer the results of all minions. */
  new (
    spec: string,
    options?: OverlordOptions & { async?: false; noglobs?: false },
  ): OverlordMethods<Results> & Modules<Results>;
  new (
    spec: string,
    options: OverlordOptions,
  ): OverlordMethods<string | Result | Results> & Modules<string | Result | Results>;
  readonly prototype: object;
}
