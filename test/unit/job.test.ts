import fc from "fast-check";
import { expect, it } from "vitest";
import { Job } from "../../server/jobs/job";
import { JobArchive } from "../../server/jobs/jobArchive";
import { shownPage } from "../../server/jobs/jobEntry";
import { JobRegistry } from "../../server/jobs/jobRegistry";
import { jobStatus, type JobStatus } from "../../server/jobs/jobStatus";
import { ValueKeeper } from "../../server/jobs/outputs/valueKeeper";
import { minionsToRetry } from "../../server/jobs/engine/retryable";
import {
  allWell,
  FINAL_STATES,
  type JobProgress,
  type MinionCallState,
} from "../../server/protocol/jobs";
import { peerText } from "../../server/wire/wirePeer";
import { outputRefOf } from "../../server/protocol/outputs";
import { MemoryJobStore } from "../fixtures/memoryJobStore";
import { openOutputs, spool } from "../fixtures/outputFolder";

let count = 0;

function makeJob(minions: string[], async = false): Job {
  const id = `*-test-ping-${++count}`;
  const call = { id, spec: "*", module: "test", method: "ping", argsText: "", async };
  return new Job({ ...call, minions: minions.map((name) => ({ name })) });
}

function collect(job: Job): JobProgress[] {
  const all: JobProgress[] = [];
  job.onProgress((progress) => all.push(progress));
  return all;
}

async function statusOf(job: Job | undefined): Promise<JobStatus> {
  const { files } = await openOutputs();
  return jobStatus(job, new ValueKeeper(files, () => 0));
}

async function finished(job: Job): Promise<void> {
  await new Promise<void>((resolve) => {
    job.onFinished(resolve);
  });
}

const ERROR = { type: "exceptions.TypeError", message: "no", trace: "trace" };

it("has the seed's codes at each step of an async job", async () => {
  const job = makeJob(["a", "b"], true);
  expect(await statusOf(job)).toEqual({ code: 0, results: null });
  job.update("a", { state: "sent" });
  job.update("a", { state: "running", minionJobId: "1-minion" });
  expect(await statusOf(job)).toEqual({ code: 0, results: null });
  job.update("b", { state: "running", minionJobId: "2-minion" });
  expect(await statusOf(job)).toEqual({ code: 3, results: {} });
  job.update("a", { state: "succeeded", value: 1 });
  expect(await statusOf(job)).toEqual({ code: 3, results: { a: 1 } });
  expect(job.result("b").minionJobId).toBe("2-minion");
  job.update("b", { state: "failed", error: ERROR });
  expect(await statusOf(job)).toEqual({
    code: 1,
    results: { a: 1, b: ["REMOTE_ERROR", "exceptions.TypeError", "no", "trace"] },
  });
  expect(job.result("a").minionJobId).toBe("1-minion");
  expect(await statusOf(undefined)).toEqual({ code: 2, results: null });
});

it("is partial as soon as there is a first result", async () => {
  const job = makeJob(["a", "b"]);
  job.update("a", { state: "succeeded", value: null });
  expect(await statusOf(job)).toEqual({ code: 3, results: { a: null } });
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

it("counts commands that failed among those that succeeded, until they are called again", () => {
  const job = makeJob(["web1", "web2"]);
  job.update("web1", { state: "succeeded", value: [0, "", ""], exitStatus: 0 });
  job.update("web2", { state: "succeeded", value: [3, "", ""], exitStatus: 3 });
  expect(job.summary()).toMatchObject({ counts: { succeeded: 2 }, failedCommands: 1 });
  expect(allWell(job.summary())).toBe(false);
  expect(minionsToRetry(job, undefined)).toEqual(["web2"]);
  job.again(["web2"]);
  expect(job.summary().failedCommands).toBeUndefined();
  job.update("web2", { state: "succeeded", value: [0, "", ""], exitStatus: 0 });
  expect(allWell(job.summary())).toBe(true);
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

it("tells its end, also where no result is news with it", () => {
  const minions = Array.from({ length: 200 }, (_, index) => `m${index}`);
  const full = makeJob(minions);
  const seen = collect(full);
  for (const minion of minions) full.update(minion, { state: "succeeded", value: 1 });
  expect(seen.at(-1)?.summary.finished).toBe(true);
  // an overlord that ended right before it had written the end
  const kept = { state: "succeeded" as const, value: 1, valueBytes: 1, outputs: [] };
  const results = [{ ...kept, minion: "a", attempt: 1, atMs: 1 }];
  const call = { id: "resumed", spec: "*", module: "test", method: "ping", argsText: "" };
  const record = { ...call, async: true, minions: [{ name: "a" }] };
  const resumed = new Job(record, { results, cancelRequested: false });
  const told = collect(resumed);
  resumed.finishWhenDone();
  expect(told.map(({ summary }) => summary.finished)).toEqual([true]);
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

it("gives its results in pages, in one order", () => {
  const names = Array.from({ length: 25 }, (_, at) => `m${at}`);
  const job = makeJob(names);
  job.update("m20", { state: "succeeded", value: 1 });
  const first = job.snapshot(10);
  expect(first.summary.total).toBe(25);
  const rest = [10, 20, 30].map((from) => shownPage(job.page(from, 10)));
  const pages = [first.results, ...rest];
  expect(pages.map((page) => page.length)).toEqual([10, 10, 5, 0]);
  expect(pages.flat()).toEqual(job.snapshot().results);
  expect(pages.flat().map(({ minion }) => minion)).toEqual(names);
});

it("says where an error was cut, and keeps the whole", () => {
  const job = makeJob(["a"]);
  const progress = collect(job);
  const error = { type: "t", message: "m", trace: "line\n".repeat(2_000) };
  job.update("a", { state: "failed", error });
  const shown = progress[0]?.results[0]?.error;
  expect(shown?.cut).toBe(true);
  expect(shown?.trace.length).toBeLessThan(5_000);
  expect(job.result("a").error).toEqual(error);
});

it("leaves large values out of what nobody asked for", () => {
  const job = makeJob(["a"]);
  const progress = collect(job);
  const value = `\n  first\tline \nsecond ${"x".repeat(20_000)}`;
  job.update("a", { state: "succeeded", value });
  expect(progress[0]?.results[0]).toEqual({
    minion: "a",
    state: "succeeded",
    valueBytes: JSON.stringify(value).length,
    excerpt: "first line",
    digest: expect.stringMatching(/^[\w-]{22}$/) as string,
  });
  expect(job.result("a").value).toBe(value);
  expect(() => job.result("b")).toThrow(expect.objectContaining({ reason: "not-found" }));
});

it("lets go of the oldest jobs beyond a thousand that are kept in the store", () => {
  const jobs = new JobRegistry();
  const running = makeJob(["a"]);
  jobs.add(running);
  const ended = Array.from({ length: 1_000 }, () => {
    const job = makeJob(["a"]);
    job.update("a", { state: "succeeded", value: 1 });
    job.isKept = true;
    jobs.add(job);
    return job;
  });
  expect(jobs.find(running.id)).toBe(running);
  expect(jobs.find(ended[0]?.id ?? "")).toBeUndefined();
  expect(jobs.find(ended[1]?.id ?? "")).toBe(ended[1]);
  expect(jobs.running()).toEqual([running]);
});

it("keeps equal values once, and tells them by their digest", () => {
  const job = makeJob(["a", "b", "c", "d"]);
  job.update("a", { state: "succeeded", value: { list: ["x".repeat(1_000)] } });
  const { valueBytes } = job;
  job.update("b", { state: "succeeded", value: { list: ["x".repeat(1_000)] } });
  expect(job.valueBytes).toBe(valueBytes);
  expect(job.result("b").value).toBe(job.result("a").value);
  expect(job.result("b").digest).toBe(job.result("a").digest);
  job.update("c", { state: "succeeded", value: { list: ["y"] } });
  job.update("d", { state: "failed", error: ERROR });
  const digests = ["a", "c", "d"].map((name) => job.result(name).digest);
  expect(new Set(digests).size).toBe(3);
});

it("gives one digest to the same problem of different minions", () => {
  const peers = ["web1", "web10", "db.example.org"].map((name, index) => ({
    name,
    address: index === 1 ? "fe80::1" : `10.0.0.${index + 1}`,
    port: 51_234 + index,
  }));
  const digestsOf = (problem: (peer: (typeof peers)[number]) => string): Set<unknown> => {
    const call = { id: `x-${++count}`, spec: "*", module: "a", method: "b", argsText: "" };
    const job = new Job({ ...call, async: false, minions: peers });
    for (const peer of peers) {
      const error = { ...ERROR, message: problem(peer) };
      job.update(peer.name, { state: "unreachable", error });
    }
    return new Set(peers.map(({ name }) => job.result(name).digest));
  };
  const refused = digestsOf(
    (peer) => `[Errno 111]: ${peerText(peer)} refused the connection; start funcd on ${peer.name}.`,
  );
  expect(refused.size).toBe(1);
  expect(digestsOf(({ name }) => `The name of ${name}, "${name}", was not found.`).size).toBe(1);
  expect(digestsOf(({ port }) => `no answer within ${port} s`).size).toBe(3);
  expect(digestsOf(({ name }) => `${name}0 is not ${name}`).size).toBe(3);
});

it("lets go of a job's outputs when it forgets the job, and of the oldest first where the disk is full", async () => {
  const { files } = await openOutputs({ maxBytes: 1_000 });
  const jobs = new JobRegistry(files);
  const removed: string[] = [];
  const archive = new JobArchive(jobs, new MemoryJobStore(), files, (ids) => removed.push(...ids));
  const add = async (content: number): Promise<{ job: Job; sha256: string }> => {
    const job = makeJob(["a"]);
    jobs.add(job);
    const { sha256 } = await spool(files, Buffer.alloc(400, content));
    files.hold(job.id, sha256);
    return { job, sha256 };
  };
  const running = await add(1);
  const ended = await add(2);
  ended.job.update("a", { state: "succeeded", value: 1 });
  const last = await add(3);
  expect(removed).toEqual([ended.job.id]);
  await expect(archive.get(ended.job.id)).rejects.toMatchObject({ reason: "not-found" });
  expect(jobs.running()).toEqual([running.job, last.job]);
  await expect(files.read(ended.sha256, 0, 1)).rejects.toMatchObject({ reason: "not-found" });
  expect((await files.read(running.sha256, 0, 1)).total).toBe(400);
  await expect(add(4)).rejects.toMatchObject({ reason: "unavailable" });
});

it("answers the seed's status in a message of bounded size", async () => {
  const minions = Array.from({ length: 400 }, (_, index) => `host${index}`);
  const job = makeJob(minions);
  for (const minion of minions) {
    job.update(minion, { state: "succeeded", value: minion + "x".repeat(60_000) });
  }
  const { files } = await openOutputs();
  const { results } = await jobStatus(job, new ValueKeeper(files, () => 0));
  expect(JSON.stringify(results).length).toBeLessThan(17_000_000);
  const ref = outputRefOf(results?.host399);
  expect(ref?.kind).toBe("json");
  const { bytes } = await files.read(ref?.sha256 ?? "", 0, 100_000);
  expect(bytes.toString()).toBe(JSON.stringify(job.result("host399").value));
});
