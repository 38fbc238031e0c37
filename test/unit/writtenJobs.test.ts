import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { FuncError } from "../../server/common/errors";
import { silentLog } from "../../server/common/log";
import { Job } from "../../server/jobs/job";
import { JobJournal } from "../../server/jobs/engine/jobJournal";
import { minionsToRetry } from "../../server/jobs/engine/retryable";
import type { JobRecord } from "../../server/jobs/store/storeTypes";
import { MemoryJobStore } from "../fixtures/memoryJobStore";

const FULL = new FuncError("unavailable", "The disk is full.", "Make room.");

let store: MemoryJobStore;
let journal: JobJournal;
let kept: Job[];

beforeEach(() => {
  vi.useFakeTimers();
  store = new MemoryJobStore();
  kept = [];
  journal = new JobJournal(store, silentLog, (job) => kept.push(job));
});

afterEach(() => {
  journal.close();
  vi.useRealTimers();
});

function recordOf(id: string, ...minions: string[]): JobRecord {
  return {
    id,
    spec: "*",
    module: "test",
    method: "ping",
    args: [],
    argsText: "",
    async: true,
    createdAtMs: 1,
    nforks: 1,
    keepPlaces: false,
    minions: minions.map((name) => ({ name })),
  };
}

async function make(...minions: string[]): Promise<Job> {
  const record = recordOf("job-1", ...minions);
  await journal.created(record);
  return new Job(record);
}

it("refuses a job that cannot be written, and says that nothing was sent", async () => {
  store.problem = FULL;
  await expect(journal.created(recordOf("job-1", "a"))).rejects.toMatchObject({
    reason: "unavailable",
    message: expect.stringMatching(/^Nothing was sent.*disk is full/) as string,
    nextStep: "Make room.",
  });
});

it("shows a result once it is durable, and not before", async () => {
  const job = await make("a", "b");
  let release = (): void => undefined;
  store.beforeAppend = () => new Promise((resolve) => (release = resolve));
  const writing = journal.ended(job, job.complete("a", { state: "succeeded", value: 1 }));
  // what comes meanwhile changes nothing
  job.update("a", { state: "cancelled" });
  expect(job.result("a").state).toBe("queued");
  release();
  await writing;
  expect(job.result("a")).toMatchObject({ state: "succeeded", value: 1 });
  expect((await store.results(job.id, 0, 2)).map(({ state }) => state)).toEqual([
    "succeeded",
    "queued",
  ]);
});

it("shows what the disk does not take with a warning, and writes it when it does", async () => {
  const job = await make("a", "b");
  store.problem = FULL;
  await journal.ended(job, job.complete("a", { state: "succeeded", value: 1 }));
  await journal.ended(job, job.complete("b", { state: "succeeded", value: 2 }));
  expect(job.finished).toBe(true);
  expect(job.result("a")).toMatchObject({ state: "succeeded", value: 1 });
  expect(job.result("a").warning).toMatch(/could not be written.*disk is full/);
  expect(kept).toEqual([]);
  expect(journal.isBehind).toBe(true);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(journal.isBehind).toBe(true);
  store.problem = undefined;
  await vi.advanceTimersByTimeAsync(120_000);
  expect(job.result("a").warning).toBeUndefined();
  expect(kept).toEqual([job]);
  expect(await store.find(job.id)).toMatchObject({ finished: true, counts: { succeeded: 2 } });
  expect(await store.unfinished()).toEqual([]);
});

it("writes the end of a job with its last result, and a new attempt after it", async () => {
  const job = await make("a");
  const error = { type: "t", message: "m", trace: "" };
  await journal.ended(job, job.complete("a", { state: "unreachable", error }));
  expect(store.events.map(({ kind }) => kind)).toEqual(["created", "ended", "noted"]);
  expect(minionsToRetry(job, undefined)).toEqual(["a"]);
  await journal.retried(job, ["a"], job.nextAttempt);
  job.again(["a"]);
  expect(job.summary()).toMatchObject({ finished: false, attempts: 2, counts: { queued: 1 } });
  await journal.ended(job, job.complete("a", { state: "lost", error, mayHaveRun: true }));
  const attempts = await store.attempts(job.id, "a");
  expect(attempts.map(({ attempt, state }) => [attempt, state])).toEqual([
    [1, "unreachable"],
    [2, "lost"],
  ]);
  // what may have run is only called again where it is named
  expect(() => minionsToRetry(job, undefined)).toThrow(
    expect.objectContaining({ reason: "conflict" }),
  );
  expect(minionsToRetry(job, ["a"])).toEqual(["a"]);
});

it("lets go of a job without a word once it is suspended", async () => {
  const job = await make("a", "b");
  const ended = job.complete("a", { state: "succeeded", value: 1 });
  job.suspend();
  await journal.ended(job, ended);
  job.update("b", { state: "running" });
  expect(store.events.map(({ kind }) => kind)).toEqual(["created"]);
  const [left] = await store.unfinished();
  expect(left?.minions.map(({ result }) => result)).toEqual([undefined, undefined]);
});
