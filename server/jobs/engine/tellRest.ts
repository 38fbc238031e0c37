import type { Inventory } from "../../targets/inventory";
import { callIdIn } from "../jobId";
import type { UnfinishedJob } from "../store/storeTypes";
import type { JobTools } from "./jobRun";
import type { Cancel } from "./pendingCancels";

/** Tells what minions of an earlier process's job, and hops, have not been told yet; some time, and without waiting. */
export function tellRest(
  { job: record, minions }: UnfinishedJob,
  inventory: Inventory,
  { cancels, kept }: Pick<JobTools, "cancels" | "kept">,
): void {
  const { id: jobId, async } = record;
  const hops = new Map(record.minions.map(({ name, path }) => [name, path?.[0]]));
  /** By hop, its job and attempt: one cancel for all that stand behind it. */
  const behind = new Map<string, Cancel & { names: string[] }>();
  for (const { minion: name, attempt, result, toldKept, toldCancel } of minions) {
    const first = hops.get(name);
    // it may have gone around the first hop of its path
    const hop = first === undefined ? undefined : (result?.via?.[0] ?? first);
    const minion = inventory.find(hop ?? name);
    if (!result || !minion) continue;
    const { minionJobId, atMs: sinceMs } = result;
    const isPending = result.cancelPending === true && !toldCancel;
    if (hop !== undefined) {
      if (!isPending || minionJobId === undefined) continue;
      const key = JSON.stringify([hop, minionJobId, attempt]);
      const known = behind.get(key);
      if (known) known.names.push(name);
      else behind.set(key, { jobId, minion, attempt, id: minionJobId, sinceMs, names: [name] });
    } else if (isPending) {
      const id = minionJobId ?? callIdIn(record, name, attempt);
      cancels.add({ jobId, minion, attempt, id, sinceMs });
    } else if (async && !toldKept && minionJobId !== undefined) {
      kept.add(minion, { jobId, attempt, minionJobId });
    }
  }
  for (const cancel of behind.values()) cancels.add(cancel);
}
