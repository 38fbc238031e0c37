import type { MinionCaller } from "../../calls/minionCaller";
import type { SeenMinions } from "../../calls/seenMinions";
import type { MinionRecord } from "../../protocol/minions";
import type { XmlRpcValue } from "../../wire/value";
import type { AsyncCollector } from "./asyncCollector";
import type { ErrorLimit } from "./errorLimit";
import type { Job } from "../job";
import type { JobJournal } from "./jobJournal";
import type { HopCaller, MinionBehind } from "./minionsBehind";
import type { KeptTeller } from "./keptTeller";
import type { LaterWords } from "./laterWords";
import type { PendingCancels } from "./pendingCancels";
import type { JobAbove, JobRecord, UnfinishedMinion } from "../store/storeTypes";
import type { ValueKeeper } from "../outputs/valueKeeper";

/** A method that is to be called on minions of a job. */
export interface JobRun {
  job: Job;
  record: JobRecord;
  /** Those to call, or to go on with. */
  minions: readonly MinionRecord[];
  /** The same of those behind sub-overlords. */
  behind: readonly MinionBehind[];
  /** What an overlord above has asked for, with its signed call also where that is secret. */
  above?: JobAbove;
  /** "module.method" */
  method: string;
  params: XmlRpcValue[];
  /** All of the job's minions, in the steps in which they are called. */
  steps: readonly (readonly string[])[];
  /** Ends the calling of more of them. */
  limit: ErrorLimit;
  nforks: number;
  /** Calls that run keep their places however long they take: nforks was chosen for this. */
  keepPlaces: boolean;
  /** Limit for the call on each minion, or for starting it there. */
  timeoutMs: number;
  /** Of async calls, for the work on each minion, from its start there; undefined for none. */
  runLimitMs: number | undefined;
  /** Of async calls: point of performance.now() until which it is tried to deliver; undefined for one try. */
  deliverUntilMs: number | undefined;
  /** The arguments are not kept: without a minion's job id nothing can be done again. */
  secret: boolean;
  /** What an earlier process wrote of the minions, by name; empty for a new call. */
  past: ReadonlyMap<string, UnfinishedMinion>;
  /** A part of what it wrote was lost: who cannot tell a repeat may have been called all the same. */
  incomplete: boolean;
}

/** What all jobs run with. */
export interface JobTools {
  caller: MinionCaller;
  keeper: ValueKeeper;
  journal: JobJournal;
  collector: AsyncCollector;
  seen: SeenMinions;
  cancels: PendingCancels;
  kept: KeptTeller;
  later: LaterWords;
  hops: HopCaller;
}
