import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { StoreWorker } from "../../server/jobs/store/workerClient";
import type { StoreMethod, StoreRequests } from "../../server/jobs/store/workerProtocol";
import { atMost, told, type BenchRow } from "./benchRow";
import type { BenchContext, Benchmark } from "./benchmark";
import { median, spread } from "./statistics";
import type { StoreOptions, StoreReady, StoreReply } from "./storeWorker";
import { eventsOf, jobOf, JOBS, MINIONS, weekEnd } from "./weekOfJobs";
import { startWorker, type Worker } from "./worker";

const MOST_START_S = 2;
const MOST_LIST_MS = 50;
const MOST_LOADED_MS = 10;
const MOST_UNLOADED_MS = 100;
const MOST_SEARCH_MS = 200;
const RESULTS = JOBS * MINIONS;
/** Of one record of the journal. */
const EVENTS_AT_ONCE = 100;
const JOBS_A_CHECKPOINT = 20;

type Store = Worker<StoreReady>;

/** A job store with a million results: what it takes to start it, and to find something in it. */
export const storeBenchmark: Benchmark = {
  name: "store",
  what: "a job store with 1,000,000 results of a week: start, list, look-up, search, memory",
  async *run(context) {
    const { folder, dist } = context;
    const options: StoreOptions = {
      script: join(dist, "store.js"),
      wasmFile: join(dist, "sql-wasm.wasm"),
      folder: join(folder, "jobs"),
    };
    const endMs = weekEnd();
    const applyUs = await fill(context, options, endMs);
    yield told({ name: "store: applied to the databases", value: applyUs, unit: "us a result" });
    const bytes = bytesIn(options.folder);
    yield told({ name: "store: on the disk", value: bytes / RESULTS, unit: "bytes a result" });
    const starts: StoreReady[] = [];
    const unloaded: number[] = [];
    let store: Store | undefined;
    for (let round = 0; round < context.rounds; round++) {
      await store?.close();
      store = await startWorker<StoreReady>(context, "store", options);
      starts.push(store.ready);
      // another day each time, and none of the present one
      const { id } = jobOf(Math.floor((((round % 6) + 0.5) * JOBS) / 7), endMs);
      unloaded.push(await lookUp(store, id));
    }
    if (!store) return;
    yield* startRows(starts);
    yield* await listRows(context, store);
    yield* await lookUpRows(context, store, unloaded, endMs);
    yield* await searchRows(context, options);
  },
};

/** Fills the store as an overlord does; gives us for a result. */
async function fill(
  context: BenchContext,
  { script, wasmFile, folder }: StoreOptions,
  endMs: number,
): Promise<number> {
  const limits = { keepMs: 100 * 365 * 86_400_000, keepJobs: 1e9, keepBytes: 1e12 };
  const fail = (what: unknown): never => {
    throw new Error(String(what));
  };
  const store = new StoreWorker(
    script,
    { folder, limits, wasmFile },
    { forgotten: fail, problem: fail, died: fail },
  );
  await store.ask("open", {});
  let seq = 0;
  let took = 0;
  for (let number = 0; number < JOBS; number++) {
    context.signal.throwIfAborted();
    const lines = [...eventsOf(jobOf(number, endMs))].map((event) => JSON.stringify(event));
    const begin = performance.now();
    while (lines.length > 0) {
      const events = new TextEncoder().encode(lines.splice(0, EVENTS_AT_ONCE).join("\n"));
      await store.ask("apply", { seq: ++seq, events }, [events.buffer]);
    }
    took += performance.now() - begin;
    if (number % JOBS_A_CHECKPOINT === JOBS_A_CHECKPOINT - 1) await store.ask("checkpoint", {});
    if (number % 100 === 99) context.progress(`${number + 1} of ${JOBS} jobs`);
  }
  await store.close();
  return (took * 1_000) / RESULTS;
}

function* startRows(starts: readonly StoreReady[]): Generator<BenchRow> {
  const seconds = starts.map(({ startMs }) => startMs / 1_000);
  yield atMost(MOST_START_S, {
    name: "store: start, until the first list",
    value: median(seconds),
    unit: "s",
    details: spread(seconds),
  });
  yield told({
    name: "store: memory after the start",
    value: median(starts.map(({ rssKb: [before, after] }) => (after - before) / 1_024)),
    unit: "MB",
  });
}

async function listRows({ rounds }: BenchContext, store: Store): Promise<BenchRow[]> {
  const queries: Record<string, StoreRequests["list"]["params"]> = {
    "the newest hundred": { query: {}, limit: 100 },
    "by minion": { query: { minion: "web99?.example.org" }, limit: 100 },
    "by text, the oldest": { query: { text: '# 0"' }, limit: 100 },
  };
  const rows: BenchRow[] = [];
  for (const [name, params] of Object.entries(queries)) {
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const { ms, result } = await ask(store, "list", params);
      if (result.jobs.length === 0) throw new Error(`no job was found: ${name}`);
      times.push(ms);
    }
    const figure = { name: `store: list, ${name}`, value: median(times), unit: "ms" };
    rows.push(atMost(MOST_LIST_MS, { ...figure, details: spread(times, 1) }));
  }
  return rows;
}

async function lookUpRows(
  { rounds }: BenchContext,
  store: Store,
  unloaded: readonly number[],
  endMs: number,
): Promise<BenchRow[]> {
  const loaded: number[] = [];
  await lookUp(store, jobOf(JOBS - 1, endMs).id);
  for (let round = 0; round < rounds; round++) {
    loaded.push(await lookUp(store, jobOf(JOBS - 2 - round, endMs).id));
  }
  const all: number[] = [];
  let rssKb = 0;
  for (let day = 0; day < 7; day++) {
    const { id } = jobOf(Math.floor(((day + 0.3) * JOBS) / 7), endMs);
    const reply = await ask(store, "results", { jobId: id, from: 0, limit: MINIONS });
    all.push(reply.ms);
    rssKb = Math.max(rssKb, reply.rssKb);
  }
  return [
    atMost(MOST_LOADED_MS, {
      name: "store: 100 results of a job in a loaded day",
      value: median(loaded),
      unit: "ms",
      details: spread(loaded, 1),
    }),
    atMost(MOST_UNLOADED_MS, {
      name: "store: 100 results of a job in another day",
      value: median(unloaded),
      unit: "ms",
      details: spread(unloaded, 1),
    }),
    told({ name: "store: memory when all days were looked at", value: rssKb / 1_024, unit: "MB" }),
  ];
}

async function searchRows(context: BenchContext, options: StoreOptions): Promise<BenchRow[]> {
  const first: number[] = [];
  let store: Store | undefined;
  for (let round = 0; round < context.rounds; round++) {
    await store?.close();
    store = await startWorker<StoreReady>(context, "store", options);
    const { ms, result } = await ask(store, "searchSlice", { text: "UP 42 DAYS", query: {} });
    if (result.matches.length === 0) throw new Error("nothing was found");
    first.push(ms);
  }
  let whole = 0;
  let longest = 0;
  for (let cursor: string | undefined; store;) {
    const params = { text: "nobody has this", query: {}, ...(cursor !== undefined && { cursor }) };
    const { ms, result } = await ask(store, "searchSlice", params);
    whole += ms;
    longest = Math.max(longest, ms);
    cursor = result.next;
    if (cursor === undefined) break;
  }
  return [
    atMost(MOST_SEARCH_MS, {
      name: "store: search, first results",
      value: median(first),
      unit: "ms",
      details: spread(first, 0),
    }),
    told({
      name: "store: search of everything",
      value: whole / 1_000,
      unit: "s",
      details: `in slices of at most ${longest.toFixed(0)} ms`,
    }),
  ];
}

async function lookUp(store: Store, jobId: string): Promise<number> {
  const { ms, result } = await ask(store, "results", { jobId, from: 500, limit: 100 });
  if (result.length !== 100) throw new Error(`${jobId} has ${result.length} results`);
  return ms;
}

async function ask<Method extends StoreMethod>(
  store: Store,
  method: Method,
  params: StoreRequests[Method]["params"],
): Promise<StoreReply<Method>> {
  return JSON.parse(await store.ask({ method, params })) as StoreReply<Method>;
}

function bytesIn(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}
