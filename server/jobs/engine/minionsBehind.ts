import type { MinionRecord } from "../../protocol/minions";
import type { JobRun, JobTools } from "./jobRun";
import type { LaterEnds } from "./laterWords";
import { lostResult } from "./outcome";

/** A minion of a job that is called through sub-overlords. */
export interface MinionBehind {
  /** As the job has it: its own name, or "name@the one before it" where that means several. */
  name: string;
  /** The hops to it, this overlord's own minion first, then its own name; at least two. */
  path: readonly string[];
  /** hex SHA-256 of its key, where it is known. */
  identity?: string;
}

/** What a hop is asked about calls that have ended here without its word. */
export interface LaterQuestion {
  hop: MinionRecord;
  /** The hop's own id of the job that they were part of. */
  hopJobId: string;
  asked: readonly { minion: MinionBehind; callId: string }[];
  /** What was called is command.run. */
  isCommand: boolean;
  /** An overlord above asked for it: who signed a result is for that one to judge. */
  isForAbove: boolean;
  signal: AbortSignal;
}

/** Calls minions behind sub-overlords. */
export interface HopCaller {
  /**
   * Has the method called on all that are `behind` in the run; returns when each has its final state, and that is
   * written. Never rejects because of a hop.
   */
  call(run: JobRun, tools: JobTools): Promise<void>;
  /** How these ended by what the hop knows now. Never rejects. */
  laterEnds(question: LaterQuestion): Promise<LaterEnds>;
}

/** For an overlord that can call nobody behind others. */
export const NO_HOPS: HopCaller = {
  async call({ job, behind }, { journal }) {
    await Promise.all(
      behind.map((minion) => {
        const why = "this overlord cannot call minions behind sub-overlords.";
        return journal.ended(job, job.complete(minion.name, lostResult(minion, why)));
      }),
    );
  },
  laterEnds: () => Promise.resolve({ words: new Map(), isOpen: false }),
};

/** The first hop to it. */
export function nextHop({ path }: Pick<MinionBehind, "path">): string {
  return path[0] ?? "";
}
