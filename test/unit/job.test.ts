import fc from "fast-check";
import { expect, it } from "vitest";
import { Job } from "../../server/jobs/job";
import { JobRegistry } from "../../server/jobs/jobRegistry";
import { jobStatus } from "../../server/jobs/jobStatus";
import { FINAL_STATES, type JobProgress, type MinionCallState } from "../../server/protocol/jobs";

let count = 0;

function makeJob(minions: string[], async = false): Job {
  const id = `*-test-ping-${++count}`;
  return new Job({ id, spec: "*", module: "test", method: "ping", argsText: "", async, minions });
}

function collect(job: Job): JobProgress[] {
  const all: JobProgress[] = [];
  job.onProgress((progress) => all.push(progress));
  return all;
}

async function finished(job: Job): Promise<void> {
  await new Promise<void>((resolve) => {
    job.onFinished(resolve);
  });
}

const ERROR = { type: "exceptions.TypeError", message: "no", trace: "trace" };

it("has the seed's codes at each step of an async job", () => {
  const job = makeJob(["a", "b"], true);
  expect(jobStatus(job)).toEqual({ code: 0, results: null });
  job.update("a", { state: "sent" });
  job.update("a", { state: "running", minionJobId: "1-minion" });
  expect(jobStatus(job)).toEqual({ code: 0, results: null });
  job.update("b", { state: "running", minionJobId: "2-minion" });
  expect(jobStatus(job)).toEqual({ code: 3, results: {} });
  job.update("a", { state: "succeeded", value: 1 });
  expect(jobStatus(job)).toEqual({ code: 3, results: { a: 1 } });
  expect(job.result("b").minionJobId).toBe("2-minion");
  job.update("b", { state: "failed", error: ERROR });
  expect(jobStatus(job)).toEqual({
    code: 1,
    results: { a: 1, b: ["REMOTE_ERROR", "exceptions.TypeError", "no", "trace"] },
  });
  expect(job.result("a").minionJobId).toBe("1-minion");
  expect(jobStatus(undefined)).toEqual({ code: 2, results: null });
});

it("is partial as soon as there is a first result", () => {
  const job = makeJob(["a", "b"]);
  job.update("a", { state: "succeeded", value: null });
  expect(jobStatus(job)).toEqual({ code: 3, results: { a: null } });
});

it("keeps counts, and final states for good, whatever comes", () => {
  const states: MinionCallState[] = ["sent", "running", "succeeded", "failed", "cancelled", "lost"];
  const minions = ["a", "b", "c"];
  const changes = fc.array(fc.tuple(fc.constantFrom(...minions), fc.constantFrom(...states)));
  fc.assert(
    fc.property(changes, (all) => {
      const job = makeJob(minions);
      const final = new Map<string, MinionCallState>();
      for (const [minion, state] of all) {
        job.update(minion, { state });
        if (FINAL_STATES.has(state) && !final.has(minion)) final.set(minion, state);
      }
      const { counts, total, finished: done } = job.summary();
      expect(Object.values(counts).reduce((sum, one) => sum + one, 0)).toBe(total);
      for (const [minion, state] of final) expect(job.result(minion).state).toBe(state);
      expect(done).toBe(final.size === minions.length);
    }),
  );
});

it("tells every change once, numbered without a gap, in messages of bounded size", async () => {
  const minions = Array.from({ length: 1_000 }, (_, index) => `host${index}`);
  const job = makeJob(minions);
  const progress = collect(job);
  const done = finished(job);
  for (const minion of minions) job.update(minion, { state: "succeeded", value: "x".repeat(500) });
  await done;
  expect(progress.map(({ seq }) => seq)).toEqual(progress.map((_, index) => index + 1));
  const told = progress.flatMap(({ results }) => results);
  expect(told.map(({ minion }) => minion)).toEqual(minions);
  for (const one of progress) {
    expect(one.results.length).toBeLessThanOrEqual(200);
    expect(JSON.stringify(one.results).length).toBeLessThan(80_000);
  }
  expect(progress.length).toBeLessThan(20);
  expect(progress.at(-1)?.summary).toMatchObject({
    finished: true,
    code: 1,
    counts: { succeeded: 1_000 },
  });
});

it("flushes by itself and begins a snapshot where progress goes on", async () => {
  const job = makeJob(["a", "b"]);
  const progress = collect(job);
  job.update("a", { state: "sent" });
  await new Promise<void>((resolve) => {
    job.onProgress(() => {
      resolve();
    });
  });
  expect(progress).toHaveLength(1);
  job.update("a", { state: "succeeded", value: 1 });
  const snapshot = job.snapshot();
  expect(snapshot.seq).toBe(2);
  expect(snapshot.results).toMatchObject([
    { minion: "a", state: "succeeded", value: 1 },
    { minion: "b", state: "queued" },
  ]);
  job.update("b", { state: "succeeded", value: 2 });
  expect(progress.map(({ seq }) => seq)).toEqual([1, 2, 3]);
});

it("leaves large values out of what nobody asked for", () => {
  const job = makeJob(["a"]);
  const progress = collect(job);
  const value = "x".repeat(20_000);
  job.update("a", { state: "succeeded", value });
  expect(progress[0]?.results[0]).toEqual({ minion: "a", state: "succeeded", valueBytes: 20_002 });
  expect(job.result("a").value).toBe(value);
  expect(() => job.result("b")).toThrow(expect.objectContaining({ reason: "not-found" }));
});

it("keeps running jobs and purges the oldest finished ones beyond a thousand", () => {
  const jobs = new JobRegistry();
  const running = makeJob(["a"]);
  jobs.add(running);
  const ended = Array.from({ length: 1_000 }, () => {
    const job = makeJob(["a"]);
    job.update("a", { state: "succeeded", value: 1 });
    jobs.add(job);
    return job;
  });
  expect(jobs.list()).toHaveLength(1_000);
  expect(jobs.find(running.id)).toBe(running);
  expect(jobs.find(ended[0]?.id ?? "")).toBeUndefined();
  expect(jobs.find(ended[1]?.id ?? "")).toBe(ended[1]);
  expect(jobs.running()).toEqual([running]);
});
