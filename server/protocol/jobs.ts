import type { JsonValue } from "./value";

/** Job states of the seed, as a client of the original knows them. */
export const JOB_ID_RUNNING = 0;
export const JOB_ID_FINISHED = 1;
export const JOB_ID_LOST_IN_SPACE = 2;
export const JOB_ID_PARTIAL = 3;

export type JobCode =
  | typeof JOB_ID_RUNNING
  | typeof JOB_ID_FINISHED
  | typeof JOB_ID_LOST_IN_SPACE
  | typeof JOB_ID_PARTIAL;

/** Where one minion stands in one job. Each (job, minion) has exactly one at any time. */
export type MinionCallState =
  | "queued"
  | "sent"
  | "running"
  | "succeeded"
  | "failed"
  | "unreachable"
  | "timed-out"
  | "cancelled"
  | "denied"
  | "lost";

/** States that no longer change. */
export const FINAL_STATES: ReadonlySet<MinionCallState> = new Set<MinionCallState>([
  "succeeded",
  "failed",
  "unreachable",
  "timed-out",
  "cancelled",
  "denied",
  "lost",
]);

/** Why a minion gave no result, or raised one. `type`, `message`, `trace` are the REMOTE_ERROR array's items 1 to 3. */
export interface CallError {
  /** As the original names it: "socket.error", "exceptions.TypeError", ... (FUNC-SPEC 1.5). */
  type: string;
  /** One sentence that names the host and the cause. */
  message: string;
  trace: string;
  /** What to try next, a whole sentence. */
  nextStep?: string;
  /** True where message or trace were cut here for their size; ask `jobs/result` for them. */
  cut?: boolean;
}

/** One minion's part of a job. */
export interface MinionResult {
  minion: string;
  state: MinionCallState;
  /** Present where the state is "succeeded" and the value is small (see `valueBytes`). */
  value?: JsonValue;
  /** Size of the value's JSON where it was left out here for its size; ask `jobs/result` for it. */
  valueBytes?: number;
  /** Where `value` was left out for its size: how the result begins, one line of at most 200 characters. */
  excerpt?: string;
  /** Of command.run, also where `value` was left out. */
  exitStatus?: number;
  /**
   * In every final state: equal for results that are equal, for problems also where they differ only in
   * the minion's own name and address. Only to be compared.
   */
  digest?: string;
  /** Present in every final state but "succeeded". */
  error?: CallError;
  /** The minion's own job id, for async calls. */
  minionJobId?: string;
  startedAtMs?: number;
  durationMs?: number;
}

export interface JobSummary {
  id: string;
  /** Target expression. */
  spec: string;
  /** What was left out of it, by the same rules. */
  exclude?: string;
  module: string;
  method: string;
  /** The arguments as short text for people, secrets hidden. */
  argsText: string;
  async: boolean;
  /** Started by itself, like the tree's pings: lists of jobs leave it out. */
  background?: boolean;
  createdAtMs: number;
  finishedAtMs?: number;
  /** True once every minion is in a final state. */
  finished: boolean;
  cancelRequested: boolean;
  code: JobCode;
  total: number;
  counts: Partial<Record<MinionCallState, number>>;
}

/** Both target expressions as one text for people: `web* without web9`. */
export function targetsText({ spec, exclude }: { spec: string; exclude?: string }): string {
  return exclude === undefined ? spec : `${spec} without ${exclude}`;
}

/** `jobs/progress`: what changed since the last one. `seq` grows by one from 1 per job. */
export interface JobProgress {
  seq: number;
  summary: JobSummary;
  results: MinionResult[];
}
