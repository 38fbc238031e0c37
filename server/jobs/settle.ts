import { peerOf } from "../calls/minionCaller";
import type { MinionRecord } from "../protocol/minions";
import { callErrorOf } from "../wire/remoteError";
import { exitStatusOf } from "./excerpt";
import type { Job } from "./job";
import type { Ending } from "./outcome";
import type { ValueKeeper } from "./valueKeeper";

/** Puts a minion's final result into the job, what is large in it into files. Never throws. */
export async function settle(
  job: Job,
  minion: MinionRecord,
  ending: Ending,
  keeper: ValueKeeper,
): Promise<void> {
  const { name } = minion;
  const { value, error } = ending;
  if (value === undefined) {
    job.update(name, error ? { ...ending, error: keeper.keepError(error) } : ending);
    return;
  }
  try {
    const kept = await keeper.keep(job.id, value);
    const exitStatus = job.isCommand ? exitStatusOf(value) : undefined;
    const change = { ...ending, ...(exitStatus !== undefined && { exitStatus }) };
    job.update(name, change, kept);
  } catch (problem) {
    job.update(name, { state: "failed", error: callErrorOf(problem, peerOf(minion)) });
  }
}
