import type { Inventory } from "../../targets/inventory";
import { callIdIn } from "../jobId";
import type { JobRecord, UnfinishedJob, UnfinishedMinion } from "../store/storeTypes";
import type { JobTools } from "./jobRun";
import type { Cancel } from "./pendingCancels";

/** What a hop is still to be told, or asked, of calls that have ended here. */
interface AtHop {
  hop: string;
  id: string;
  what: "cancels" | "later";
  isDoubt?: boolean;
}

/**
 * Tells minions of an earlier process's job, and hops, what they have not been told yet, and asks hops how those ended
 * that were given up here; some time, and without waiting.
 */
export function tellRest(
  { job: record, minions }: UnfinishedJob,
  inventory: Inventory,
  tools: Pick<JobTools, "cancels" | "kept" | "later">,
): void {
  const { id: jobId } = record;
  const hops = new Map(record.minions.map(({ name, path }) => [name, path?.[0]]));
  /** One for all that stand behind the same hop, in one job there. */
  const behind = new Map<string, AtHop & { call: Cancel; names: string[] }>();
  for (const past of minions) {
    const first = hops.get(past.minion);
    if (first === undefined) {
      tellMinion(record, past, inventory, tools);
      continue;
    }
    const { minion: name, attempt, result } = past;
    if (!result) continue;
    for (const one of [...owedAtHop(past, first), ...owedInDoubt(past)]) {
      const { hop, id, isDoubt } = one;
      const key = JSON.stringify([one, attempt]);
      const known = behind.get(key);
      if (known) {
        known.names.push(name);
        continue;
      }
      const minion = inventory.find(hop);
      if (!minion) continue;
      const names = [name];
      const call = { jobId, minion, attempt, id, sinceMs: result.atMs, names };
      behind.set(key, { ...one, call: { ...call, ...(isDoubt && { isDoubt }) }, names });
    }
  }
  for (const { what, call } of behind.values()) tools[what].add(call);
}

/** Of this overlord's own. */
function tellMinion(
  record: JobRecord,
  { minion: name, attempt, result, toldKept, toldCancel }: UnfinishedMinion,
  inventory: Inventory,
  { cancels, kept }: Pick<JobTools, "cancels" | "kept">,
): void {
  const minion = inventory.find(name);
  if (!result || !minion) return;
  const { id: jobId, async } = record;
  const { minionJobId, cancelPending, atMs: sinceMs } = result;
  if (cancelPending && !toldCancel) {
    const id = minionJobId ?? callIdIn(record, name, attempt);
    cancels.add({ jobId, minion, attempt, id, sinceMs });
  } else if (async && !toldKept && minionJobId !== undefined) {
    kept.add(minion, { jobId, attempt, minionJobId });
  }
}

/** At the hop that the call went over, which need not be the first one of its path. */
function owedAtHop({ result, toldCancel }: UnfinishedMinion, first: string): AtHop[] {
  const { minionJobId: id, cancelPending, awaitsWord, via } = result ?? {};
  if (toldCancel || id === undefined || !(cancelPending || awaitsWord)) return [];
  return [{ hop: via?.[0] ?? first, id, what: cancelPending ? "cancels" : "later" }];
}

/** At hops that may have begun it besides. */
function owedInDoubt({ result, doubts = [] }: UnfinishedMinion): AtHop[] {
  const what = result?.state === "cancelled" ? "cancels" : "later";
  return doubts.flatMap(({ hop, hopJobId: id }) =>
    id === undefined ? [] : [{ hop, id, what, isDoubt: true }],
  );
}
