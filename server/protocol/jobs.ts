import type { JsonValue } from "./value";

/** Code of a job, as the original has it: there is no result yet. */
export const JOB_ID_RUNNING = 0;
/** Code of a job: all results are there. */
export const JOB_ID_FINISHED = 1;
/** Code of a job that is unknown, or no longer known. */
export const JOB_ID_LOST_IN_SPACE = 2;
/** Code of a job: it has begun on all minions, or has some results. */
export const JOB_ID_PARTIAL = 3;

/** Where a job stands, as the original tells it. */
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
  | "lost"
  /** Not called: too many others had failed by then (`maxErrors`). */
  | "skipped"
  /** Not called: it was away until its delivery limit had passed. */
  | "expired";

/** States that no longer change. */
export const FINAL_STATES: ReadonlySet<MinionCallState> = new Set<MinionCallState>([
  "succeeded",
  "failed",
  "unreachable",
  "timed-out",
  "cancelled",
  "denied",
  "lost",
  "skipped",
  "expired",
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

/** How a call had ended, as it was told after it had got its final state here: that state stays. */
export interface LaterWord {
  /** A final one. */
  state: MinionCallState;
  /** When it was learnt. */
  atMs: number;
  /** One sentence: who told it, and how the result begins or what the problem was. */
  message: string;
  /** Where there is one, it is small, and nobody says that another than the host has made it. */
  value?: JsonValue;
  /** Of command.run, also where `value` was left out. */
  exitStatus?: number;
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
  /** In final states but "succeeded": the method may have run there, or may still run, all the same. */
  mayHaveRun?: boolean;
  /** What is wrong although the call has ended: its result could not be written to the disk so far. */
  warning?: string;
  /** The minion's own job id, for async calls. */
  minionJobId?: string;
  /** 2 and more where it was tried again; `jobs/attempts` has the earlier ones. */
  attempt?: number;
  /** When the call was sent. */
  startedAtMs?: number;
  /** From then to the final state. */
  durationMs?: number;
  /** What a running job last reported by its line "Progress report N/M completed". */
  progress?: { done: number; total: number };
  /** Cancelled here; the host is told as soon as it can be reached. */
  cancelPending?: boolean;
  /** What the host, or the sub-overlord before it, told once it could be reached again. */
  later?: LaterWord;
  /** The sub-overlords that the call went through, the first hop first. */
  via?: string[];
  /** The sub-overlord that could not be reached, or was lost from sight, on the way. */
  failedHop?: string;
  /** Of delegated results: whether the host itself has signed it. `first`: on a key that was seen for the first time. */
  signed?: "yes" | "first" | "no";
}

/** How a job goes over its minions in steps: the next step begins when the last has ended. */
export interface BatchPlan {
  /** Target expression of those that go first, within the job's minions. */
  canary?: string;
  /** How many at a time: "10", or "10%" of the job's minions. Without it the rest goes in one step. */
  size?: string;
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
  /** What kind of client started it. */
  startedBy?: "extension" | "cli" | "library" | "overlord" | "funcd";
  /** Minions behind sub-overlords too, by the delegation map. */
  delegate?: boolean;
  /** By another map than `<data>/map`: its file. */
  mapFile?: string;
  /** Another overlord asked for it: its name. */
  originator?: string;
  /** What is to be known about it all the same: the map that it was delegated by may be outdated. */
  warning?: string;
  /** In the answer to `calls/start` only: who would have been called with `delegate`. */
  behindToo?: BehindToo;
  batch?: BatchPlan;
  /** With more failures than this no more minions are called. */
  maxErrors?: number;
  /** Highest attempt of any minion; absent for 1. */
  attempts?: number;
  createdAtMs: number;
  finishedAtMs?: number;
  /** True once every minion is in a final state. */
  finished: boolean;
  cancelRequested: boolean;
  code: JobCode;
  total: number;
  counts: Partial<Record<MinionCallState, number>>;
  /** Of those that succeeded: commands that ended with an exit status other than 0. Absent for none. */
  failedCommands?: number;
}

/** Hosts behind sub-overlords that a glob or a group would mean too. */
export interface BehindToo {
  hosts: number;
  /** Minions of this overlord over whom they are called: those with the most, at most three. */
  hops: string[];
  moreHops: number;
}

/** True for the method whose results are a command's exit status and output. */
export function isCommandRun({ module, method }: Pick<JobSummary, "module" | "method">): boolean {
  return module === "command" && method === "run";
}

/** A command that ran, and ended with an exit status other than 0. */
export function isFailedCommand({
  state,
  exitStatus = 0,
}: Pick<MinionResult, "state" | "exitStatus">): boolean {
  return state === "succeeded" && exitStatus !== 0;
}

/** Whether all of a job's minions did what they were called for: each answered, and no command failed. */
export function allWell({ counts, total, failedCommands = 0 }: JobSummary): boolean {
  return (counts.succeeded ?? 0) === total && failedCommands === 0;
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

/** Which jobs a list is to have; all that is given must fit. */
export interface JobQuery {
  /** Globs on the names of the job's minions, separated by ";"; "web*@mid1" means those behind that sub-overlord. */
  minion?: string;
  /** Globs. */
  module?: string;
  method?: string;
  /** "problems": finished, and something failed (`allWell`). */
  state?: "running" | "finished" | "problems";
  sinceMs?: number;
  untilMs?: number;
  /** Found, without case, in id, target, method or arguments as shown. */
  text?: string;
}

/** Jobs, newest first; `next` goes on where it ends. */
export interface JobPage {
  jobs: JobSummary[];
  next?: string;
}

/** One step in a job's life, as the time slider replays it; oldest first. */
export type JobHistoryEvent =
  | {
      kind: "minion";
      atMs: number;
      minion: string;
      attempt: number;
      state: MinionCallState;
      /** Why, for people: of problems the error's message, at most 200 characters. */
      cause?: string;
    }
  | {
      kind: "job";
      atMs: number;
      /** What happened to the job as a whole, by whom or why. */
      event: "created" | "cancel-requested" | "retried" | "resumed" | "stopped" | "finished";
      cause?: string;
    };

/** Where the output of one minion's job is to be read on from: bytes of each stream that are known. */
export interface OutputOffsets {
  stdout: number;
  stderr: number;
  /** Of which attempt, the latest without; another is read from its beginning. */
  attempt?: number;
}

/** A stretch of the output of a job on one minion, as it was written there. */
export interface OutputPiece {
  minion: string;
  attempt?: number;
  stream: "stdout" | "stderr";
  /** Of the first byte. */
  offset: number;
  /** The bytes as text, cut at a character's border; what is no UTF-8 is shown as U+FFFD. */
  text: string;
  /** How many bytes the text stands for. */
  bytes: number;
}

/** `jobs/output`: what a followed job has written. Pieces of one stream come in order, without gaps. */
export interface JobOutput {
  jobId: string;
  pieces: OutputPiece[];
  /** Minions whose output is whole now. */
  ended: string[];
  /** Minions whose output cannot be followed, and why. */
  problems?: { minion: string; message: string }[];
}

/** `jobs/changed`: jobs are new, stand differently, or are gone. At most twice a second. */
export interface JobsChanged {
  changed: JobSummary[];
  removed: string[];
  /** Too many to tell: ask for the list. */
  all?: boolean;
}
