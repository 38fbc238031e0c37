import { execFileSync } from "node:child_process";
import { appendFile, mkdir, mkdtemp, open, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, onTestFinished } from "vitest";
import { silentLog } from "../../server/common/log";
import { openJobStore } from "../../server/jobs/store/jobStore";
import type { JobStore } from "../../server/jobs/store/storeTypes";
import { created, ended, finished } from "../fixtures/jobEvents";
import { buildPrograms } from "../fixtures/programs";

let programs: string;
let disk: string;
let folder: string;
let store: JobStore;

beforeAll(async () => {
  programs = await mkdtemp(join(tmpdir(), "func-store-program-"));
  await buildPrograms(programs, ["overlord"]);
});
afterAll(() => rm(programs, { recursive: true, force: true }));

/** The store lies on a disk of its own: only root can mount one. */
beforeEach(async () => {
  disk = await mkdtemp(join(tmpdir(), "func-store-disk-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=3m,mode=0700", "tmpfs", disk]);
  folder = join(disk, "jobs");
  store = await openStore();
});
afterEach(async () => {
  await store.close();
  execFileSync("umount", ["-l", disk]);
  await rm(disk, { recursive: true, force: true });
});

async function journals(): Promise<string[]> {
  return (await readdir(folder)).filter((name) => /^journal-\d+$/.test(name));
}

function openStore(checkpoint: { idleMs?: number } = {}): Promise<JobStore> {
  return openJobStore(folder, {
    limits: { keepMs: 1e14, keepJobs: 10_000, keepBytes: 1e9 },
    programs,
    log: silentLog,
    reserveBytes: 128 * 1024,
    checkpoint: { retryMs: 100, ...checkpoint },
  });
}

/** As a process that was killed leaves it. */
async function reopened(): Promise<JobStore> {
  const copy = await mkdtemp(join(tmpdir(), "func-store-copy-"));
  onTestFinished(() => rm(copy, { recursive: true, force: true }));
  execFileSync("cp", ["-a", `${folder}/.`, copy]);
  const other = await openJobStore(copy, {
    limits: { keepMs: 1e14, keepJobs: 10_000, keepBytes: 1e9 },
    programs,
    log: silentLog,
  });
  return other;
}

/** Writes until there is no byte left. */
async function fill(): Promise<void> {
  await mkdir(join(disk, "fill"), { recursive: true });
  const handle = await open(join(disk, "fill", "fill"), "a");
  try {
    for (let size = 64 * 1024; size >= 1;) {
      const { bytesWritten } = await handle
        .write(Buffer.alloc(size))
        .catch(() => ({ bytesWritten: 0 }));
      if (bytesWritten === 0) size = size >> 1;
    }
  } finally {
    await handle.close();
  }
  await expect(appendFile(join(disk, "more"), "x")).rejects.toThrow("ENOSPC");
  await rm(join(disk, "more"), { force: true });
}

it("keeps the ends of running jobs on a full disk, refuses new ones, and goes on with room", async () => {
  const ids = Array.from({ length: 20 }, (_, n) => `job${n}`);
  for (const id of ids) await store.append([created(id)]);
  await fill();
  // more than what is left of the journal's last block
  const large = [
    created(
      "new",
      Array.from({ length: 500 }, (_, n) => `web${n}`),
    ),
  ];
  const refused = await store.append(large).catch((error: unknown) => error);
  expect(refused).toMatchObject({ reason: "unavailable" });
  expect(String(refused)).toContain(folder);
  for (const id of ids) await store.append([ended(id), finished(id)]);
  // the room that the reserve gave is not for new jobs
  await expect(store.append([created("new")])).rejects.toMatchObject({
    reason: "unavailable",
    nextStep: "Make room on that disk, then try again.",
  });
  expect((await store.usage()).problem).toMatch(/full/);
  expect(await store.find("job7")).toMatchObject({ finished: true });
  const other = await reopened();
  for (const id of ids) expect(await other.find(id)).toMatchObject({ finished: true });
  expect(await other.find("new")).toBeUndefined();
  await other.close();

  // until not even the reserve is left
  const value = "x".repeat(30_000);
  const stuffed = async (): Promise<void> => {
    for (let n = 0; n < 100; n++) {
      const event = ended("job1", "web1");
      if (event.kind === "ended") event.result.value = value;
      await store.append([event]);
    }
  };
  await expect(stuffed()).rejects.toMatchObject({
    reason: "unavailable",
    message: expect.stringMatching(/journal-\d+: ENOSPC/) as string,
  });
  await rm(join(disk, "fill"), { recursive: true });
  await store.append([created("new")]);
  expect(await store.find("new")).toBeDefined();
  expect((await store.usage()).problem).toBeUndefined();
  const after = await reopened();
  for (const id of [...ids, "new"]) expect(await after.find(id)).toBeDefined();
  await after.close();
});

it("says so on a disk that is read-only, and goes on when it is no longer", async () => {
  await store.close();
  store = await openStore({ idleMs: 10 });
  await store.append([created("job1")]);
  // no file is open for writing then: it would be in the way
  while ((await journals()).length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  execFileSync("mount", ["-o", "remount,ro", disk]);
  try {
    const problem = await store.append([ended("job1")]).catch((error: unknown) => error);
    expect(problem).toMatchObject({
      reason: "unavailable",
      message: expect.stringMatching(/journal-\d+: EROFS/) as string,
    });
    expect(await store.find("job1")).toMatchObject({ finished: false });
    expect(await store.unfinished()).toMatchObject([{ job: { id: "job1" } }]);
    expect((await store.usage()).problem).toContain("EROFS");
  } finally {
    execFileSync("mount", ["-o", "remount,rw", disk]);
  }
  await store.append([ended("job1"), finished("job1")]);
  expect(await store.find("job1")).toMatchObject({ finished: true });
  expect((await store.usage()).problem).toBeUndefined();
});

it("leaves nothing half done where a checkpoint finds no room", async () => {
  const value = "x".repeat(20_000);
  for (let n = 0; n < 30; n++) {
    const event = ended(`job${n}`);
    if (event.kind === "ended") event.result.value = value;
    await store.append([created(`job${n}`), event, finished(`job${n}`)]);
  }
  await fill();
  await store.close();
  expect(await journals()).not.toEqual([]);
  await rm(join(disk, "fill"), { recursive: true });
  store = await openStore();
  for (let n = 0; n < 30; n++) {
    const [result] = await store.results(`job${n}`, 0, 1);
    expect(result?.value).toBe(value);
  }
  await store.close();
  expect(await journals()).toEqual([]);
});
