import { callErrorOf } from "../../wire/remoteError";
import { exitStatusOf } from "../excerpt";
import type { Job } from "../job";
import type { JobEntry } from "../jobEntry";
import type { Ending } from "./outcome";
import type { ValueKeeper } from "../outputs/valueKeeper";

/**
 * A minion's final result as the job keeps it, what is large in it in files. Undefined where the minion has
 * one already. Never throws.
 */
export async function settle(
  job: Job,
  minion: { name: string; address: string; port: number },
  { awaitsWord, ...ending }: Ending,
  keeper: ValueKeeper,
): Promise<JobEntry | undefined> {
  const { name } = minion;
  const { value, error } = ending;
  if (value === undefined) {
    const told = error ? { ...ending, error: keeper.keepError(error) } : ending;
    const entry = job.complete(name, told);
    return entry && awaitsWord ? { ...entry, awaitsWord } : entry;
  }
  try {
    const kept = await keeper.keep(job.id, value);
    const exitStatus = job.isCommand ? exitStatusOf(value) : undefined;
    const change = { ...ending, ...(exitStatus !== undefined && { exitStatus }) };
    return job.complete(name, change, kept);
  } catch (problem) {
    return job.complete(name, {
      state: "failed",
      mayHaveRun: true,
      error: callErrorOf(problem, minion),
    });
  }
}
