import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { jobAt, StoreLab } from "../fixtures/storeLab";

const DAY_MS = 24 * 60 * 60_000;

let lab: StoreLab;
let noonMs: number;

beforeEach(() => {
  lab = new StoreLab();
  noonMs = Math.floor(Date.now() / DAY_MS) * DAY_MS - DAY_MS / 2;
});
afterEach(() => lab.end());

/** As a process that has seen none of the jobs end. */
async function checkpointAndRestart(): Promise<void> {
  await lab.worker.ask("checkpoint", {});
  await lab.restart();
}

const files = (): string[] => readdirSync(lab.folder).sort();
const dayOf = (atMs: number): string => new Date(atMs).toISOString().slice(0, 10);

test("days whose jobs are all past are unlinked; a job that runs stays whatever its age", async () => {
  await lab.restart();
  const old = jobAt(noonMs - 10 * DAY_MS);
  const kept = jobAt(noonMs - 2 * DAY_MS);
  const beside = jobAt(noonMs - 9 * DAY_MS);
  const running = jobAt(noonMs - 9 * DAY_MS + 1);
  for (const job of [old, kept, beside]) await lab.finish(job, "x".repeat(1_000));
  await lab.apply({ kind: "created", job: running });
  await checkpointAndRestart();
  expect(files()).toContain(`${dayOf(old.createdAtMs)}.outputs`);

  const { forgotten } = await lab.worker.ask("retain", {});
  expect(forgotten.sort()).toEqual([old.id, beside.id].sort());
  expect(lab.forgotten.sort()).toEqual(forgotten.sort());
  expect(files().filter((name) => name.startsWith(dayOf(old.createdAtMs)))).toEqual([]);
  await lab.restart();
  const { jobs } = await lab.worker.ask("list", { query: {}, limit: 10 });
  expect(jobs.map(({ id }) => id)).toEqual([kept.id, running.id]);
  expect(await lab.worker.ask("results", { jobId: beside.id, from: 0, limit: 9 })).toEqual([]);
  expect(await lab.worker.ask("unfinished", {})).toHaveLength(1);
});

test("a job whose end this process has seen stays for an hour, whatever the clock said", async () => {
  await lab.restart();
  await lab.finish(jobAt(0));
  expect(await lab.worker.ask("retain", {})).toEqual({ forgotten: [] });
});

test("a store that is too large gives back the room on the disk", async () => {
  lab.limits = { ...lab.limits, keepBytes: 3_000_000 };
  await lab.restart();
  const size = (): number =>
    files().reduce((sum, name) => sum + statSync(join(lab.folder, name)).size, 0);
  for (let number = 0; number < 60; number++) {
    await lab.finish(jobAt(noonMs + number), `${number} ${"x".repeat(100_000)}`);
  }
  await checkpointAndRestart();
  expect(size()).toBeGreaterThan(5_000_000);
  const { forgotten } = await lab.worker.ask("retain", {});
  expect(forgotten.length).toBeGreaterThan(25);
  expect(size()).toBeLessThan(3_500_000);
  await lab.restart();
  const { jobs } = await lab.worker.ask("list", { query: {}, limit: 100 });
  expect(jobs).toHaveLength(60 - forgotten.length);
  for (const { id } of jobs) {
    const [first] = await lab.worker.ask("results", { jobId: id, from: 0, limit: 1 });
    expect(first?.valueBytes).toBeGreaterThan(100_000);
    expect(first?.value).toBeDefined();
  }
});

test("deleted jobs are gone, and a day that had only them", async () => {
  await lab.restart();
  const [one, other] = [jobAt(noonMs), jobAt(noonMs - DAY_MS)];
  for (const job of [one, other]) await lab.finish(job);
  await lab.worker.ask("checkpoint", {});
  await lab.apply({ kind: "deleted", jobId: one.id });
  expect(await lab.worker.ask("find", { jobId: one.id })).toBeUndefined();
  await checkpointAndRestart();
  expect(files()).toEqual([`${dayOf(other.createdAtMs)}.db`, "index.db"]);
  expect(await lab.worker.ask("usage", {})).toMatchObject({ jobs: 1 });
});
