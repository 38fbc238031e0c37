import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, it, onTestFinished } from "vitest";
import { createLog, type Log } from "../../server/common/log";
import { openJobStore, type JobStoreOptions } from "../../server/jobs/store/jobStore";
import type { JobStore } from "../../server/jobs/store/storeTypes";
import { FakeDatabases } from "../fixtures/fakeStoreWorker";
import { created, ended } from "../fixtures/jobEvents";

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
});

it("begins the journal anew once all is in the databases", async () => {
  const store = await open({ checkpoint: { events: 3 } });
  for (let n = 0; n < 5; n++) await store.append([created(`job${n}`)]);
  expect(await store.find("job4")).toBeDefined();
  await store.close();
  expect(await journals()).toEqual([]);
});
