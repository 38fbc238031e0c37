import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, it, onTestFinished } from "vitest";
import { FuncError } from "../../server/common/errors";
import { createLog, type Log } from "../../server/common/log";
import { openJobStore, type JobStoreOptions } from "../../server/jobs/store/jobStore";
import type { JobStore } from "../../server/jobs/store/storeTypes";
import { FakeDatabases } from "../fixtures/fakeStoreWorker";
import { created, ended, finished } from "../fixtures/jobEvents";

let folder: string;
let databases: FakeDatabases;
let lines: string[];
let log: Log;

beforeEach(async () => {
  const home = await mkdtemp(join(tmpdir(), "func-store-"));
  folder = join(home, "jobs");
  databases = new FakeDatabases();
  lines = [];
  log = createLog((line) => lines.push(line));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
});

async function open(options: Partial<JobStoreOptions> = {}): Promise<JobStore> {
  const store = await openJobStore(folder, {
    limits: { keepMs: 3_600_000, keepJobs: 1_000, keepBytes: 1e9 },
    programs: "/nowhere",
    startWorker: databases.start,
    log,
    ...options,
  });
  onTestFinished(() => store.close());
  return store;
}

async function journals(): Promise<string[]> {
  return (await readdir(folder)).filter((name) => /^journal-\d+$/.test(name));
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function run(store: JobStore, jobId: string): Promise<void> {
  await store.append([created(jobId)]);
  await store.append([ended(jobId), finished(jobId)]);
}

it("reads what it was told, also in the next process", async () => {
  const store = await open();
  await store.append([created("job1", ["web1", "web2"])]);
  expect(await store.find("job1")).toMatchObject({ id: "job1", total: 2, finished: false });
  await store.append([ended("job1")]);
  expect(await store.find("job1")).toMatchObject({ counts: { succeeded: 1 } });
  // killed: nobody closes it
  const next = await open();
  expect(await next.find("job1")).toMatchObject({ counts: { succeeded: 1 } });
  expect(await next.unfinished()).toMatchObject([{ job: { id: "job1" } }]);
  expect((await next.unfinished())[0]?.incomplete).toBeUndefined();
});

it("makes nothing and starts nothing before there is a job", async () => {
  const store = await open();
  expect(await store.unfinished()).toEqual([]);
  expect(await store.heldOutputs()).toEqual([]);
  expect(await store.usage()).toEqual({ jobs: 0, bytes: 0 });
  await store.close();
  expect(databases.starts).toBe(0);
  await expect(readdir(folder)).rejects.toThrow("ENOENT");
});

it("closed in order, starts no worker until somebody asks", async () => {
  const store = await open();
  await run(store, "job1");
  await store.close();
  expect(await journals()).toEqual([]);
  const { starts } = databases;
  const next = await open();
  expect(await next.unfinished()).toEqual([]);
  expect(await next.usage()).toMatchObject({ jobs: 1 });
  expect(databases.starts).toBe(starts);
  expect(await next.find("job1")).toMatchObject({ finished: true });
  expect(databases.starts).toBe(starts + 1);
  await run(next, "job2");
  expect(await next.find("job2")).toMatchObject({ finished: true });
  await next.close();
  // a mark of an earlier process must not be believed after a crash
  const third = await open();
  await third.append([created("job3")]);
  expect(await (await open()).unfinished()).toMatchObject([{ job: { id: "job3" } }]);
});

it("does not believe a damaged mark", async () => {
  const store = await open();
  await run(store, "job1");
  await store.close();
  const mark = join(folder, "clean.json");
  const whole = await readFile(mark, "utf8");
  for (const damaged of [whole.replace(/:(\d)/, ":9$1"), whole.slice(0, 20), "", "null", "[]"]) {
    await writeFile(mark, damaged);
    const next = await open();
    await next.append([created("job2")]);
    expect(await next.find("job2")).toBeDefined();
    expect(await next.find("job1")).toBeDefined();
    await next.append([ended("job2"), finished("job2")]);
    await next.close();
  }
});

it("tells the next process what is unfinished, also after an orderly end", async () => {
  const store = await open();
  await store.append([created("job1")]);
  await store.close();
  expect(await readdir(folder)).toEqual(["reserve"]);
  await writeFile(join(folder, "index.db"), "what a real worker leaves");
  const next = await open();
  expect(await next.unfinished()).toMatchObject([{ job: { id: "job1" } }]);
});

it("begins the journal anew once all is in the databases", async () => {
  const store = await open({ checkpoint: { events: 3, idleMs: 20 } });
  for (let n = 0; n < 5; n++) await store.append([created(`job${n}`)]);
  await until(async () => (await journals()).length === 0);
  expect(databases.saved).not.toEqual([]);
  await store.append([created("last")]);
  expect(await journals()).toHaveLength(1);
  // killed
  const next = await open();
  for (const id of ["job0", "job4", "last"]) expect(await next.find(id)).toBeDefined();
});

it("keeps the journal while the databases cannot be written", async () => {
  const store = await open({ checkpoint: { events: 1, retryMs: 20 } });
  await store.append([created("job1")]);
  expect(await store.find("job1")).toBeDefined();
  databases.problem = new FuncError("unavailable", "The disk is full.");
  await store.append([created("job2")]);
  await until(async () => (await store.usage()).problem !== undefined);
  expect(await store.usage()).toMatchObject({ problem: "The disk is full." });
  expect(await journals()).not.toEqual([]);
  databases.problem = undefined;
  await until(async () => (await journals()).length === 0);
  expect(await store.find("job2")).toBeDefined();
  expect((await store.usage()).problem).toBeUndefined();
});

it("goes on with a new worker where one dies, from the journal that is still there", async () => {
  const store = await open();
  for (let n = 0; n < 20; n++) await store.append([created(`job${n}`)]);
  databases.current?.die();
  expect(await store.find("job19")).toBeDefined();
  const writes = Promise.all(
    Array.from({ length: 50 }, (_, n) => store.append([ended(`job${n % 20}`, "web1", n)])),
  );
  const asked = store.find("job3");
  databases.current?.die();
  await writes;
  expect(await asked).toBeDefined();
  expect(await store.find("job7")).toMatchObject({ counts: { succeeded: 1 } });
  expect(databases.starts).toBe(3);
  // each once a worker, in order
  expect(lines.join("")).not.toContain("could not take");
});

it("says so where workers die all the time, and still keeps what happens", async () => {
  const store = await open();
  await store.append([created("job1")]);
  for (let n = 0; n < 3; n++) {
    await store.find("job1").catch(() => undefined);
    databases.current?.die();
  }
  await expect(store.find("job1")).rejects.toMatchObject({ reason: "unavailable" });
  expect((await store.usage()).problem).toMatch(/ended several times/);
  await store.append([created("job2")]);
  expect(await (await open({ startWorker: new FakeDatabases().start })).find("job2")).toBeDefined();
});

it("writes notes in their own time, or before what comes after them", async () => {
  const store = await open();
  await store.append([created("job1")]);
  store.note([{ kind: "noted", jobId: "job1", atMs: 5, event: "resumed" }]);
  await store.append([ended("job1"), finished("job1")]);
  const [file = ""] = await journals();
  const text = await readFile(join(folder, file), "latin1");
  const at = ["created", "resumed", "ended", "finished"].map((word) => text.indexOf(`"${word}"`));
  expect(at).toEqual([...at].sort((a, b) => a - b));
  expect(at).not.toContain(-1);
  store.note([{ kind: "noted", jobId: "job1", atMs: 6, event: "stopped" }]);
  await until(async () => (await readFile(join(folder, file), "latin1")).includes("stopped"));
  store.note([{ kind: "noted", jobId: "job1", atMs: 7, event: "cancel-requested" }]);
  await store.close();
  expect(databases.saved.flatMap(({ events }) => events)).toContainEqual({
    kind: "noted",
    jobId: "job1",
    atMs: 7,
    event: "cancel-requested",
  });
});

it("says that events may be missing where the journal is damaged", async () => {
  const store = await open();
  await store.append([created("job1")]);
  await store.append([ended("job1")]);
  await store.append([created("job2")]);
  const file = join(folder, (await journals())[0] ?? "");
  const whole = await readFile(file);
  whole[whole.indexOf('"ended"')] = 0;
  await writeFile(file, whole);
  const next = await open();
  expect(await next.unfinished()).toMatchObject([
    { job: { id: "job1" }, incomplete: true },
    { job: { id: "job2" }, incomplete: true },
  ]);
  expect(lines.join("")).toContain("records of the job store's journal are missing");
  // and goes on
  await next.append([ended("job1")]);
  expect(await next.find("job1")).toMatchObject({ counts: { succeeded: 1 } });
});

it("names what is in the way, and goes on once it is gone", async () => {
  const store = await open();
  await writeFile(folder, "");
  const problem = await store.append([created("job1")]).catch((error: unknown) => error);
  expect(problem).toMatchObject({
    reason: "unavailable",
    message: expect.stringContaining(folder) as string,
    nextStep: expect.stringContaining("goes on by itself") as string,
  });
  store.note([finished("job1")]);
  expect((await store.usage()).problem).toContain(folder);
  await rm(folder);
  await store.append([created("job1")]);
  expect(await store.find("job1")).toBeDefined();
  expect((await store.usage()).problem).toBeUndefined();
});

it("takes no more than one record holds", async () => {
  const store = await open();
  const huge = ended("job1");
  if (huge.kind === "ended") huge.result.value = "x".repeat(65 * 1024 * 1024);
  await store.append([created("job1")]);
  await expect(store.append([huge])).rejects.toMatchObject({ reason: "too-large" });
  await store.append([ended("job1")]);
  expect(await store.find("job1")).toMatchObject({ counts: { succeeded: 1 } });
});
