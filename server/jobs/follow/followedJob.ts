import type { MinionCallState, MinionResult } from "../../protocol/jobs";
import type { Job } from "../job";
import { callIdIn } from "../jobId";
import type { JobView } from "../jobView";
import type { JobRecord } from "../store/storeTypes";

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
  const part = (result: MinionResult): FollowedPart =>
    partOf(result, job.pathTo(result.minion), job.callId(result.minion));
  return {
    id: job.id,
    parts: () => job.listEntries().map(({ result }) => part(result)),
    onParts: (listener) =>
      job.onProgress(({ results }) => {
        listener(results.map(part));
      }),
    result: (minion) => Promise.resolve(job.result(minion)),
  };
}

/**
 * A job that has nothing before it: its output is what its results hold, and of those that were ended what their minions
 * keep; behind sub-overlords these are found by the job's `record`.
 */
export async function storedFollowedJob(
  job: JobView,
  record: JobRecord | undefined,
): Promise<FollowedJob> {
  const paths = new Map(record?.minions.map(({ name, path }) => [name, path]));
  const parts = (await job.page(0)).map(({ result }) => {
    const { minion, attempt } = result;
    return partOf(result, paths.get(minion), callIdIn(record ?? job, minion, attempt));
  });
  return {
    id: job.id,
    parts: () => parts,
    onParts: () => ({ dispose: () => undefined }),
    result: async (minion) => (await job.entry(minion)).result,
  };
}

function partOf(
  { minion, state, attempt, minionJobId, via }: MinionResult,
  path: readonly string[] | undefined,
  callId: string,
): FollowedPart {
  // whoever has the job by now, where a hop failed
  const [hop] = (path && via) ?? path ?? [];
  return {
    minion,
    state,
    ...(attempt !== undefined && { attempt }),
    ...(minionJobId !== undefined && { minionJobId }),
    ...(hop !== undefined && { behind: { hop, callId } }),
  };
}
