import { createInterface } from "node:readline";
import { StoreWorker } from "../../server/jobs/store/workerClient";
import type { StoreMethod, StoreRequests } from "../../server/jobs/store/workerProtocol";
import { memoryOf } from "./processTimes";
import { workerReady } from "./worker";

export interface StoreOptions {
  script: string;
  wasmFile: string;
  folder: string;
}

/** A query for the store, as a line of JSON. */
export interface StoreOrder<Method extends StoreMethod = StoreMethod> {
  method: Method;
  params: StoreRequests[Method]["params"];
}

export interface StoreReply<Method extends StoreMethod = StoreMethod> {
  ms: number;
  rssKb: number;
  result: StoreRequests[Method]["result"];
}

export interface StoreReady {
  /** From the start of the thread until a first list was answered. */
  startMs: number;
  /** Before and after. */
  rssKb: [number, number];
}

/** A process with nothing but the job store: answers queries with what they took. */
export async function storeWorker({ script, wasmFile, folder }: StoreOptions): Promise<void> {
  const limits = { keepMs: 100 * 365 * 86_400_000, keepJobs: 1e9, keepBytes: 1e12 };
  const before = memoryOf(process.pid).residentKb;
  const begin = performance.now();
  const store = new StoreWorker(
    script,
    { folder, limits, wasmFile },
    {
      forgotten: () => undefined,
      problem: (message) => void process.stderr.write(`${message}\n`),
      died: (error) => {
        throw error;
      },
    },
  );
  await store.ask("open", {});
  await store.ask("unfinished", {});
  await store.ask("heldOutputs", {});
  await store.ask("list", { query: {}, limit: 100 });
  const ready: StoreReady = {
    startMs: performance.now() - begin,
    rssKb: [before, memoryOf(process.pid).residentKb],
  };
  workerReady(ready);
  for await (const line of createInterface({ input: process.stdin })) {
    const { method, params } = JSON.parse(line) as StoreOrder;
    const start = performance.now();
    const result = await store.ask(method, params);
    const ms = performance.now() - start;
    const reply: StoreReply = { ms, rssKb: memoryOf(process.pid).residentKb, result };
    process.stdout.write(`${JSON.stringify(reply)}\n`);
  }
}
