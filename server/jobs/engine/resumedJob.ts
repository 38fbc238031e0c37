import type { MinionRecord } from "../../protocol/minions";
import type { Inventory } from "../../targets/inventory";
import { fromJson } from "../../wire/jsonValue";
import { Job } from "../job";
import type { JobRecord, UnfinishedJob } from "../store/storeTypes";
import type { JobRun } from "./jobRun";
import { makeRun, type CallDefaults } from "./makeRun";
import type { MinionBehind } from "./minionsBehind";
import { pastResult } from "./resumedRun";

/** A job of an earlier process, to go on with. */
export interface ResumedJob {
  run: JobRun;
  /** Minions that are no longer in the inventory, or are other hosts by now. */
  gone: string[];
}

/** The job as the earlier process has left it. */
export function resumedJob(
  { job: record, cancelRequested, minions: past, incomplete = false }: UnfinishedJob,
  inventory: Inventory,
  defaults: CallDefaults,
): ResumedJob {
  const results = past.map((minion) => pastResult(minion, record.createdAtMs));
  const job = new Job(record, { results, cancelRequested });
  const open = past.filter(({ result }) => !result);
  const names = open.map(({ minion }) => minion);
  const all = divide(record, names, inventory);
  const taken = new Map(open.map(({ minion, path }) => [minion, path]));
  // another host may have the name by now
  const minions = all.minions.filter(({ enrolledAtMs }) => enrolledAtMs <= record.createdAtMs);
  const here = new Set([...minions, ...all.behind].map(({ name }) => name));
  const run = makeRun(job, record, (record.args ?? []).map(fromJson), defaults);
  const elapsedMs = Math.max(0, Date.now() - record.createdAtMs);
  const isFirst = open.every(({ attempt }) => attempt === 1);
  return {
    run: {
      ...run,
      minions,
      behind: all.behind.map((one) => {
        const path = taken.get(one.name);
        return path ? { ...one, path } : one;
      }),
      incomplete,
      ...(isFirst &&
        run.deliverUntilMs !== undefined && {
          deliverUntilMs: run.deliverUntilMs - elapsedMs,
        }),
      past: new Map(open.map((one) => [one.minion, one])),
    },
    gone: names.filter((name) => !here.has(name)),
  };
}

/** Some of a job's minions, by how they are called; those that are not in the inventory any more are left out. */
export function divide(
  record: JobRecord,
  names: readonly string[],
  inventory: Inventory,
): { minions: MinionRecord[]; behind: MinionBehind[] } {
  const wanted = new Set(names);
  const minions: MinionRecord[] = [];
  const behind: MinionBehind[] = [];
  for (const { name, path, identity } of record.minions) {
    if (!wanted.has(name)) continue;
    if (path) {
      behind.push({ name, path, ...(identity !== undefined && { identity }) });
      continue;
    }
    const known = inventory.find(name);
    if (known) minions.push(known);
  }
  return { minions, behind };
}
