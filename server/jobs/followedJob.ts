import type { MinionCallState, MinionResult } from "../protocol/jobs";
import type { Job } from "./job";

/** Where one minion of a followed job stands. */
export interface FollowedPart {
  minion: string;
  state: MinionCallState;
  attempt?: number;
  minionJobId?: string;
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
    parts: () => job.listEntries().map(({ result }) => result),
    onParts: (listener) =>
      job.onProgress(({ results }) => {
        listener(results);
      }),
    result: (minion) => Promise.resolve(job.result(minion)),
  };
}
