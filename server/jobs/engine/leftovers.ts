import type { MinionCaller } from "../../calls/minionCaller";
import type { MinionResult } from "../../protocol/jobs";
import type { MinionRecord } from "../../protocol/minions";
import { callIdIn } from "../jobId";
import { entriesOf, type JobView } from "../jobView";
import type { JobRecord } from "../store/storeTypes";
import { cancelAtHop } from "./cancelAtHop";

const AT_ONCE = 500;
/** A hop tells all behind it first, who may be away. */
const HOP_MS = 30_000;

/**
 * Tells minions to stop what a job that has ended may have left running on them, those behind a hop through it: what
 * went on beyond its limit, or was lost from sight. Gives how many stop something. Who is away is left as it is.
 */
export async function stopLeftovers(
  view: JobView,
  caller: Pick<MinionCaller, "tellCancel" | "call">,
  minionOf: (name: string) => MinionRecord | undefined,
  record: Pick<JobRecord, "above" | "minions"> | undefined,
): Promise<number> {
  const paths = new Map(record?.minions.map(({ name, path }) => [name, path]));
  const jobsAtHops = new Map<string, Set<string>>();
  let stopped = 0;
  let asked: Promise<void>[] = [];
  for await (const { result } of entriesOf(view)) {
    if (!mayRunStill(result)) continue;
    const { minion: name, minionJobId, via } = result;
    const path = paths.get(name);
    if (path) {
      const hop = via?.[0] ?? path[0];
      if (hop === undefined || minionJobId === undefined) continue;
      jobsAtHops.set(hop, (jobsAtHops.get(hop) ?? new Set()).add(minionJobId));
      continue;
    }
    const minion = minionOf(name);
    if (!minion) continue;
    const id = minionJobId ?? callIdIn({ id: view.id, above: record?.above }, name, result.attempt);
    asked.push(
      caller.tellCancel(minion, id).then((answer) => {
        if (answer === "stops") stopped++;
      }),
    );
    if (asked.length < AT_ONCE) continue;
    await Promise.all(asked);
    asked = [];
  }
  for (const [name, ids] of jobsAtHops) {
    const hop = minionOf(name);
    if (!hop) continue;
    for (const id of ids) {
      asked.push(
        stopAtHop(caller, hop, id).then((count) => {
          stopped += count;
        }),
      );
    }
  }
  await Promise.all(asked);
  return stopped;
}

/** On how many minions the hop stops something. */
async function stopAtHop(
  caller: Pick<MinionCaller, "call">,
  hop: MinionRecord,
  hopJobId: string,
): Promise<number> {
  const outcome = await cancelAtHop(caller, hop, hopJobId, HOP_MS);
  if (outcome.state !== "succeeded") return 0;
  const { value } = outcome;
  // true: of a job that goes on there, which this overlord had given up
  if (typeof value === "number" && Number.isSafeInteger(value)) return Math.max(0, value);
  return value === true ? 1 : 0;
}

function mayRunStill({ state, mayHaveRun = false }: MinionResult): boolean {
  return state === "timed-out" || state === "lost" || mayHaveRun;
}
