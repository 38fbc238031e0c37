import { readdirSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { JobEvent } from "../../server/jobs/store/storeTypes";
import type { StoreSearch } from "../../server/jobs/store/workerProtocol";
import { jobAt, StoreLab, storedResult } from "../fixtures/storeLab";

const NOON = Date.UTC(2026, 10, 22, 12);
const HOUR_MS = 60 * 60_000;

let lab: StoreLab;

beforeEach(async () => {
  lab = new StoreLab();
  await lab.restart();
});
afterEach(() => lab.end());

test("what was applied is there, also after a checkpoint and in another worker", async () => {
  const job = jobAt(NOON);
  const small = storedResult("web1", "uid=0\n", NOON + 25);
  const large = storedResult("web2", "ü".repeat(10_000), NOON + 30);
  await lab.apply({ kind: "created", job }, { kind: "ended", jobId: job.id, result: small });
  await lab.apply({ kind: "ended", jobId: job.id, result: large });
  await lab.apply({ kind: "noted", jobId: job.id, atMs: NOON + 30, event: "finished" });
  const { seq } = await lab.worker.ask("checkpoint", {});
  expect(readdirSync(lab.folder).sort()).toEqual([
    "2026-11-22.db",
    "2026-11-22.outputs",
    "index.db",
  ]);

  expect(await lab.restart()).toMatchObject({ appliedSeq: seq, problems: [] });
  const { worker } = lab;
  expect(await worker.ask("find", { jobId: job.id })).toMatchObject({
    finished: true,
    finishedAtMs: NOON + 30,
    counts: { succeeded: 2 },
    total: 2,
  });
  expect(await worker.ask("record", { jobId: job.id })).toEqual(job);
  const results = { jobId: job.id, from: 0, limit: 10 };
  expect(await worker.ask("results", results)).toEqual([small, large]);
  expect(await worker.ask("results", { ...results, from: 1, limit: 1 })).toEqual([large]);
  const { events } = await worker.ask("history", { jobId: job.id, from: 0, limit: 10 });
  expect(events.map((event) => (event.kind === "job" ? event.event : event.state))).toEqual([
    "created",
    "succeeded",
    "succeeded",
    "finished",
  ]);
});

test("what nobody knows of is not there", async () => {
  const { worker } = lab;
  const jobId = "none";
  expect(await worker.ask("find", { jobId })).toBeUndefined();
  expect(await worker.ask("record", { jobId })).toBeUndefined();
  expect(await worker.ask("results", { jobId, from: 0, limit: 9 })).toEqual([]);
  expect(await worker.ask("attempts", { jobId, minion: "web1" })).toEqual([]);
  expect(await worker.ask("history", { jobId, from: 0, limit: 9 })).toEqual({
    events: [],
    total: 0,
  });
  expect(await worker.ask("list", { query: {}, limit: 9 })).toEqual({ jobs: [] });
  expect(await worker.ask("usage", {})).toEqual({ jobs: 0, bytes: 0 });
});

test("lists come in pages, newest first, also while jobs are added", async () => {
  for (let hour = 0; hour < 40; hour++) await lab.finish(jobAt(NOON + hour * HOUR_MS));
  const { worker } = lab;
  const seen: number[] = [];
  let cursor: string | undefined;
  do {
    const page = await worker.ask("list", { query: {}, limit: 7, cursor });
    seen.push(...page.jobs.map(({ createdAtMs }) => (createdAtMs - NOON) / HOUR_MS));
    cursor = page.next;
    await lab.finish(jobAt(NOON + (100 + seen.length) * HOUR_MS));
  } while (cursor !== undefined);
  expect(seen).toEqual(Array.from({ length: 40 }, (_, at) => 39 - at));
  const broken = worker.ask("list", { query: {}, limit: 7, cursor: "none" });
  await expect(broken).rejects.toMatchObject({ reason: "bad-argument" });
});

test("lists find jobs by minion, module, method, state, time and text", async () => {
  const running = jobAt(NOON, ["db1.example.org"]);
  await lab.apply({ kind: "created", job: running });
  const service = { module: "service", method: "status", argsText: '"Nginx"', exclude: "web9" };
  const bad = jobAt(NOON + 1, ["web1", "db2.example.org"], service);
  const error = { type: "socket.error", message: "web1: refused", trace: "" };
  const { value: _, ...lost } = storedResult("web1", "", NOON + 5);
  await lab.apply(
    { kind: "created", job: bad },
    { kind: "ended", jobId: bad.id, result: { ...lost, state: "unreachable", error } },
    { kind: "ended", jobId: bad.id, result: storedResult("db2.example.org", "", NOON + 5) },
    { kind: "noted", jobId: bad.id, atMs: NOON + 6, event: "finished" },
  );
  await lab.finish(jobAt(NOON + 2, ["web1"]));
  const found = async (query: object): Promise<number[]> => {
    const { jobs } = await lab.worker.ask("list", { query, limit: 10 });
    return jobs.map(({ createdAtMs }) => createdAtMs - NOON);
  };
  expect(await found({})).toEqual([2, 1, 0]);
  expect(await found({ minion: "DB*" })).toEqual([1, 0]);
  expect(await found({ minion: "web1" })).toEqual([2, 1]);
  expect(await found({ minion: "web2" })).toEqual([]);
  expect(await found({ module: "serv*", minion: "web?" })).toEqual([1]);
  expect(await found({ method: "run" })).toEqual([2, 0]);
  expect(await found({ state: "running" })).toEqual([0]);
  expect(await found({ state: "finished" })).toEqual([2, 1]);
  expect(await found({ state: "problems" })).toEqual([1]);
  expect(await found({ sinceMs: NOON + 1, untilMs: NOON + 1 })).toEqual([1]);
  expect(await found({ text: "nginx" })).toEqual([1]);
  expect(await found({ text: "web* without WEB9" })).toEqual([1]);
  expect(await found({ text: "service.status" })).toEqual([1]);
});

test("retried minions keep their earlier attempts", async () => {
  const job = jobAt(NOON, ["web1", "web2"], { async: true });
  const error = { type: "x", message: "web1: no", trace: "" };
  const { value: _, ...rest } = storedResult("web1", "", NOON + 9);
  const failed = { ...rest, state: "failed" as const, error, minionJobId: "m-1" };
  const told = { kind: "told", jobId: job.id, minion: "web1", attempt: 1, what: "kept" } as const;
  await lab.apply(
    { kind: "created", job },
    {
      kind: "started",
      jobId: job.id,
      minion: "web1",
      attempt: 1,
      atMs: NOON + 1,
      minionJobId: "m-1",
    },
    { kind: "ended", jobId: job.id, result: failed },
    { kind: "ended", jobId: job.id, result: storedResult("web2", "", NOON + 9) },
    { kind: "noted", jobId: job.id, atMs: NOON + 9, event: "finished" },
  );
  const [waiting] = await lab.worker.ask("unfinished", {});
  expect(waiting).toMatchObject({ finished: true, minions: [{ minionJobId: "m-1" }, {}] });
  await lab.apply(told);
  expect(await lab.worker.ask("unfinished", {})).toEqual([]);

  const retried = { kind: "retried", jobId: job.id, atMs: NOON + 20, attempt: 2 } as const;
  await lab.apply({ ...retried, minions: ["web1"] });
  expect(await lab.worker.ask("find", { jobId: job.id })).toMatchObject({
    finished: false,
    attempts: 2,
    counts: { queued: 1, succeeded: 1 },
  });
  const attempts = await lab.worker.ask("attempts", { jobId: job.id, minion: "web1" });
  expect(attempts).toEqual([failed, expect.objectContaining({ state: "queued", attempt: 2 })]);
  const { events } = await lab.worker.ask("history", { jobId: job.id, from: 4, limit: 9 });
  expect(events).toEqual([
    { kind: "job", atMs: NOON + 9, event: "finished" },
    { kind: "job", atMs: NOON + 20, event: "retried" },
    { kind: "minion", atMs: NOON + 20, minion: "web1", attempt: 2, state: "queued" },
  ]);
});

test("a search goes through all jobs in slices, and names what is to be searched in files", async () => {
  const ref = { sha256: "a".repeat(64), bytes: 1e6, kind: "text" as const, head: "" };
  for (let day = 0; day < 3; day++) {
    const job = jobAt(NOON + day * 24 * HOUR_MS, ["web1", "web2", "web3", "web4"]);
    const large = storedResult("web2", `${"-\n".repeat(500)}Needle "${day}"\n`, NOON);
    const spooled = { ...storedResult("web3", "", NOON), value: { $output: ref }, outputs: [ref] };
    const { value: _, ...rest } = storedResult("web4", "", NOON);
    const error = { type: "x", message: "web4: no needle here", trace: "" };
    const failed = { ...rest, state: "failed" as const, error };
    const results = [storedResult("web1", "hay", NOON), large, spooled, failed];
    await lab.apply(
      { kind: "created", job },
      ...results.map((result): JobEvent => ({ kind: "ended", jobId: job.id, result })),
    );
  }
  const all: StoreSearch = { matches: [], candidates: [], searched: 0 };
  const text = 'needle "';
  do {
    const slice = await lab.worker.ask("searchSlice", { text, query: {}, cursor: all.next });
    all.matches.push(...slice.matches);
    all.candidates.push(...slice.candidates);
    all.searched = slice.searched;
    all.next = slice.next;
  } while (all.next !== undefined);
  expect(all.searched).toBe(3);
  expect(all.matches.map(({ minion, line }) => `${minion}: ${line}`)).toEqual([
    'web2: Needle "2"',
    'web2: Needle "1"',
    'web2: Needle "0"',
  ]);
  expect(all.candidates).toHaveLength(3);
  expect(all.candidates[0]).toMatchObject({ minion: "web3", outputs: [ref] });
  const query = { untilMs: NOON };
  const cased = { text: "no needle", matchCase: true, query };
  expect(await lab.worker.ask("searchSlice", cased)).toMatchObject({
    matches: [{ minion: "web4", line: "web4: no needle here" }],
    searched: 1,
  });
  expect(await lab.worker.ask("heldOutputs", {})).toHaveLength(3);
  const broken = lab.worker.ask("searchSlice", { text, query, cursor: "none" });
  await expect(broken).rejects.toMatchObject({ reason: "bad-argument" });
});

test("equal outputs are kept once a day", async () => {
  const output = "a line of output\n".repeat(1_000);
  for (let number = 0; number < 20; number++) await lab.finish(jobAt(NOON + number), output);
  await lab.worker.ask("checkpoint", {});
  const { bytes } = await lab.worker.ask("usage", {});
  expect(bytes).toBeLessThan(200_000);
});

test("a job whose minion was called again before its end was written goes on", async () => {
  const job = jobAt(NOON);
  const jobId = job.id;
  const [first, second] = ["web1", "web2"].map((name) => storedResult(name, "up", NOON + 25));
  if (!first || !second) throw new Error("not reached");
  await lab.apply({ kind: "created", job }, { kind: "ended", jobId, result: first });
  await lab.apply({ kind: "retried", jobId, atMs: NOON + 30, minions: ["web1"], attempt: 2 });
  const finished = { kind: "noted", jobId, atMs: NOON + 31, event: "finished" } as const;
  await lab.apply({ kind: "ended", jobId, result: second }, finished);
  expect(await lab.worker.ask("find", { jobId })).toMatchObject({ finished: false });
  expect(await lab.worker.ask("unfinished", {})).toMatchObject([{ finished: false }]);
  await lab.apply({ kind: "ended", jobId, result: { ...first, attempt: 2 } }, finished);
  expect(await lab.worker.ask("find", { jobId })).toMatchObject({ finished: true, attempts: 2 });
});
