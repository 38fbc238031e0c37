import { statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { JobHistoryEvent } from "../../protocol/jobs";
import { attemptsOf, historyOf, latestResults, unfinishedJob } from "./dayQueries";
import { listJobs } from "./jobIndexQueries";
import type { StoreDatabases } from "./storeDatabases";
import type { StoreMethod, StoreRequests } from "./workerProtocol";

type Params<Method extends StoreMethod> = StoreRequests[Method]["params"];
type Result<Method extends StoreMethod> = StoreRequests[Method]["result"];

/** What the worker answers, by the request's name. */
export type StoreHandlers = {
  [Method in StoreMethod]: (params: Params<Method>) => Result<Method> | Promise<Result<Method>>;
};

/** The requests that only ask; all of them answer at once. */
export function queryHandlers(
  databases: StoreDatabases,
  folder: string,
): Omit<StoreHandlers, "open" | "apply" | "checkpoint" | "retain" | "close" | "searchSlice"> {
  const histories = new HistoryMemory(databases);
  return {
    find: ({ jobId }) => {
      databases.settle();
      return databases.index.find(jobId);
    },
    record: ({ jobId }) => databases.find(jobId)?.job.fullRecord(),
    list: ({ query, limit, cursor }) => {
      databases.settle();
      return listJobs(databases, query, limit, cursor);
    },
    results: ({ jobId, from, limit }) => {
      const found = databases.find(jobId);
      return found ? latestResults(found.day, found.job, from, limit) : [];
    },
    attempts: ({ jobId, minion }) => {
      const found = databases.find(jobId);
      return found ? attemptsOf(found.day, found.job, minion) : [];
    },
    history: ({ jobId, from, limit }) => {
      const events = histories.get(jobId);
      return { events: events.slice(from, from + limit), total: events.length };
    },
    unfinished: () => databases.openJobs().map(({ day, job }) => unfinishedJob(day, job)),
    heldOutputs: () => {
      databases.settle();
      return databases.index.heldOutputs();
    },
    usage: async () => {
      databases.settle();
      return { jobs: databases.index.jobCount, bytes: await bytesIn(folder) };
    },
  };
}

/** The history that was asked for last: pages of it are asked for one after the other. */
class HistoryMemory {
  private last: { jobId: string; changes: number; events: JobHistoryEvent[] } | undefined;

  constructor(private readonly databases: StoreDatabases) {}

  get(jobId: string): JobHistoryEvent[] {
    const found = this.databases.find(jobId);
    if (!found) return [];
    const { day, job } = found;
    const { changes } = day;
    if (this.last?.jobId !== jobId || this.last.changes !== changes) {
      this.last = { jobId, changes, events: historyOf(day, job) };
    }
    return this.last.events;
  }
}

/** Of databases and outputs; the journal is not ours. */
async function bytesIn(folder: string): Promise<number> {
  let sum = 0;
  for (const name of await readdir(folder)) {
    if (!/\.(db|outputs)$/.test(name)) continue;
    sum += statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0;
  }
  return sum;
}
