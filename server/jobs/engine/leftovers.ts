import type { MinionCaller } from "../../calls/minionCaller";
import type { MinionResult } from "../../protocol/jobs";
import type { MinionRecord } from "../../protocol/minions";
import { callIdIn } from "../jobId";
import { entriesOf, type JobView } from "../jobView";
import type { JobAbove } from "../store/storeTypes";

const AT_ONCE = 500;

/**
 * Tells minions to stop what a job that has ended may have left running on them: what went on beyond its limit,
 * or was lost from sight. Gives how many stop something. Minions that are away are left as they are.
 */
export async function stopLeftovers(
  view: JobView,
  caller: Pick<MinionCaller, "tellCancel">,
  minionOf: (name: string) => MinionRecord | undefined,
  above?: JobAbove,
): Promise<number> {
  let stopped = 0;
  let asked: Promise<void>[] = [];
  for await (const { result } of entriesOf(view)) {
    const minion = mayRunStill(result) ? minionOf(result.minion) : undefined;
    if (!minion) continue;
    const id =
      result.minionJobId ?? callIdIn({ id: view.id, above }, result.minion, result.attempt);
    asked.push(
      caller.tellCancel(minion, id).then((answer) => {
        if (answer === "stops") stopped++;
      }),
    );
    if (asked.length < AT_ONCE) continue;
    await Promise.all(asked);
    asked = [];
  }
  await Promise.all(asked);
  return stopped;
}

function mayRunStill({ state, mayHaveRun = false }: MinionResult): boolean {
  return state === "timed-out" || state === "lost" || mayHaveRun;
}
