import {
  allWell,
  JOB_ID_FINISHED,
  JOB_ID_PARTIAL,
  JOB_ID_RUNNING,
  type JobCode,
  type JobSummary,
} from "../../protocol/jobs";
import {
  AWAITS_WORD,
  CANCEL_PENDING,
  DOUBTED,
  FAILED_COMMAND,
  HAS_MINION_JOB,
  isFinal,
  QUEUED,
  SENT,
  stateOf,
  TOLD_CANCEL,
  TOLD_KEPT,
} from "./dayRows";
import type { JobRecord } from "./storeTypes";

/** A job's minions, shared by all jobs of the day that have the same ones. */
export interface Roster {
  minions: JobRecord["minions"];
  /** By name: its place in the job's order. */
  places: ReadonlyMap<string, number>;
}

/** What is known of the latest attempt of one minion. */
export interface MinionStand {
  place: number;
  attempt: number;
  state: number;
  flags: number;
}

/** Where the minions of a job stand: a few bytes for each, so that events need not ask the database. */
export class DayJob {
  finishedAtMs: number | undefined;
  cancelRequested = false;
  private loaded: { states: Uint8Array; attempts: Uint16Array; flags: Uint8Array } | undefined;

  constructor(
    readonly number: number,
    readonly record: Omit<JobRecord, "minions">,
    readonly roster: Roster,
    /** What the database has of them, later attempts after earlier ones. Asked for when it is first needed. */
    private readonly load: () => Iterable<MinionStand>,
  ) {}

  get total(): number {
    return this.roster.minions.length;
  }

  /** The latest attempt of the minion at a place. */
  attempt(place: number): number {
    return this.stands.attempts[place] ?? 1;
  }

  state(place: number): number {
    return this.stands.states[place] ?? QUEUED;
  }

  flagsOf(place: number): number {
    return this.stands.flags[place] ?? 0;
  }

  /** True while a minion has no final state. */
  get hasOpenMinions(): boolean {
    return !this.stands.states.every(isFinal);
  }

  /** What is now known of a minion's latest attempt. */
  set(place: number, attempt: number, state: number, flags: number): void {
    const { stands } = this;
    stands.attempts[place] = attempt;
    stands.states[place] = state;
    stands.flags[place] = flags;
  }

  /** True where the job goes on, or a minion has to be told something still. */
  get isOpen(): boolean {
    if (this.finishedAtMs === undefined) return true;
    return this.stands.states.some((_, place) => this.isUntold(place));
  }

  get hasProblems(): boolean {
    return this.finishedAtMs !== undefined && !allWell(this.summary());
  }

  fullRecord(): JobRecord {
    return { ...this.record, minions: this.roster.minions };
  }

  summary(): JobSummary {
    const { id, spec, exclude, module, method, argsText, async, startedBy } = this.record;
    const { batch, maxErrors, createdAtMs, delegate, mapFile, above, warning } = this.record;
    const attempts = this.stands.attempts.reduce((most, attempt) => Math.max(most, attempt), 1);
    const finished = this.finishedAtMs !== undefined;
    const failedCommands = this.stands.flags.reduce(
      (count, flags) => count + Number((flags & FAILED_COMMAND) !== 0),
      0,
    );
    return {
      id,
      spec,
      ...(exclude !== undefined && { exclude }),
      module,
      method,
      argsText,
      async,
      ...(startedBy && { startedBy }),
      ...(delegate && { delegate }),
      ...(mapFile !== undefined && { mapFile }),
      ...(above && { originator: above.originator }),
      ...(warning !== undefined && { warning }),
      ...(batch && { batch }),
      ...(maxErrors !== undefined && { maxErrors }),
      ...(attempts > 1 && { attempts }),
      createdAtMs,
      ...(finished && { finishedAtMs: this.finishedAtMs }),
      finished,
      cancelRequested: this.cancelRequested,
      code: this.code(),
      total: this.total,
      counts: this.counts(),
      ...(failedCommands > 0 && { failedCommands }),
    };
  }

  private get stands(): { states: Uint8Array; attempts: Uint16Array; flags: Uint8Array } {
    if (!this.loaded) {
      const { total } = this;
      const states = new Uint8Array(total);
      const attempts = new Uint16Array(total).fill(1);
      const flags = new Uint8Array(total);
      this.loaded = { states, attempts, flags };
      for (const stand of this.load()) {
        this.set(stand.place, stand.attempt, stand.state, stand.flags);
      }
    }
    return this.loaded;
  }

  private counts(): JobSummary["counts"] {
    const counts: JobSummary["counts"] = {};
    for (const code of this.stands.states) {
      const state = stateOf(code);
      counts[state] = (counts[state] ?? 0) + 1;
    }
    return counts;
  }

  /** As the seed has it: RUNNING until a first result, or until all are started. */
  private code(): JobCode {
    if (this.finishedAtMs !== undefined) return JOB_ID_FINISHED;
    if (this.stands.states.some(isFinal)) return JOB_ID_PARTIAL;
    const notStarted = this.stands.states.some(
      (state) => state === QUEUED || (this.record.async && state === SENT),
    );
    return notStarted ? JOB_ID_RUNNING : JOB_ID_PARTIAL;
  }

  private isUntold(place: number): boolean {
    const flags = this.flagsOf(place);
    if (!isFinal(this.state(place))) return false;
    if (flags & DOUBTED) return true;
    if (flags & (CANCEL_PENDING | AWAITS_WORD)) return (flags & TOLD_CANCEL) === 0;
    if (!this.record.async) return false;
    return (flags & HAS_MINION_JOB) !== 0 && (flags & TOLD_KEPT) === 0;
  }
}
