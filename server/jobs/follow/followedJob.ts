import type { MinionCallState, MinionResult } from "../../protocol/jobs";
import type { Job } from "../job";
import type { JobView } from "../jobView";

/** Where one minion of a followed job stands. */
export interface FollowedPart {
  minion: string;
  state: MinionCallState;
  attempt?: number;
  minionJobId?: string;
  /** Of a minion behind sub-overlords: the next hop, which has the job, and the call's id there. */
  behind?: { hop: string; callId: string };
}

/** What following a job's output needs to know of it. */
export interface FollowedJob {
  readonly id: string;
  parts(): FollowedPart[];
  /** Tells parts that have changed. */
  onParts(listener: (parts: readonly FollowedPart[]) => void): { dispose(): void };
  /** A minion's result with its whole value. Throws FuncError. */
  result(minion: string): Promise<MinionResult>;
}

export function followedJob(job: Job): FollowedJob {
  return {
    id: job.id,
    parts: () => job.listEntries().map(({ result }) => partOf(job, result)),
    onParts: (listener) =>
      job.onProgress(({ results }) => {
        listener(results.map((result) => partOf(job, result)));
      }),
    result: (minion) => Promise.resolve(job.result(minion)),
  };
}

function partOf(job: Job, result: MinionResult): FollowedPart {
  const { minion, state, attempt, minionJobId, via } = result;
  const path = job.pathTo(minion);
  // whoever has the job by now, where a hop failed
  const [hop] = (path && via) ?? path ?? [];
  return {
    minion,
    state,
    ...(attempt !== undefined && { attempt }),
    ...(minionJobId !== undefined && { minionJobId }),
    ...(hop !== undefined && { behind: { hop, callId: job.callId(minion) } }),
  };
}

/** A job that has nothing before it: its output is what its results hold. */
export async function storedFollowedJob(job: JobView): Promise<FollowedJob> {
  const parts = (await job.page(0)).map(({ result }) => result);
  return {
    id: job.id,
    parts: () => parts,
    onParts: () => ({ dispose: () => undefined }),
    result: async (minion) => (await job.entry(minion)).result,
  };
}
