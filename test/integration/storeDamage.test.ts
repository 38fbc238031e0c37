import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { jobAt, StoreLab, storedResult } from "../fixtures/storeLab";

const DAY_MS = 24 * 60 * 60_000;
const FIRST = Date.UTC(2026, 10, 20, 12);
const LARGE = "a line of output\n".repeat(100);

let lab: StoreLab;

beforeEach(async () => {
  lab = new StoreLab();
  await lab.restart();
});
afterEach(() => lab.end());

const file = (name: string): string => join(lab.folder, name);
const aside = (): string[] => readdirSync(lab.folder).filter((name) => name.includes(".damaged-"));

function flipBit(name: string, at: number): void {
  const bytes = readFileSync(file(name));
  bytes[at] = (bytes[at] ?? 0) ^ 0x10;
  writeFileSync(file(name), bytes);
}

/** One job on each of three days, on the disk, and no worker that has them in memory. */
async function threeDays(): Promise<string[]> {
  const jobs = [0, 1, 2].map((day) => jobAt(FIRST + day * DAY_MS));
  for (const job of jobs) await lab.finish(job, LARGE);
  await lab.worker.ask("checkpoint", {});
  return jobs.map(({ id }) => id);
}

test("a flipped bit in a day takes that day's results with it, and nothing else", async () => {
  const [first = "", second = ""] = await threeDays();
  flipBit("2026-11-21.db", 5_000);
  await lab.restart();
  const results = { from: 0, limit: 10 };
  expect(await lab.worker.ask("results", { jobId: first, ...results })).toHaveLength(2);
  const lost = lab.worker.ask("results", { jobId: second, ...results });
  await expect(lost).rejects.toMatchObject({
    reason: "bad-data",
    message: /2026-11-21\.db.*set aside/,
  });
  expect(await lab.worker.ask("find", { jobId: second })).toMatchObject({ finished: true });
  expect(lab.problems).toEqual([
    expect.stringMatching(/checksum is wrong.*results of 1 jobs are lost/),
  ]);
  expect(aside().sort()).toEqual([
    expect.stringMatching(/^2026-11-21\.db\.damaged-\d{8}T\d{6}Z$/),
    expect.stringMatching(/^2026-11-21\.outputs\.damaged-/),
  ]);

  // the day goes on with a new database
  const later = jobAt(FIRST + DAY_MS + 5);
  await lab.finish(later, LARGE);
  await lab.worker.ask("checkpoint", {});
  await lab.restart();
  expect(await lab.worker.ask("results", { jobId: later.id, ...results })).toHaveLength(2);
  const still = lab.worker.ask("record", { jobId: second });
  await expect(still).rejects.toMatchObject({ reason: "bad-data" });
  expect(await lab.worker.ask("list", { query: {}, limit: 10 })).toMatchObject({
    jobs: [{ createdAtMs: FIRST + 2 * DAY_MS }, { id: later.id }, { id: second }, { id: first }],
  });
});

test.each([
  [
    "a flipped bit in it",
    () => {
      flipBit("index.db", 200);
    },
  ],
  [
    "its end cut off",
    () => {
      truncateSync(file("index.db"), 9_000);
    },
  ],
  [
    "nothing in it",
    () => {
      truncateSync(file("index.db"), 0);
    },
  ],
])("the index is made again from the days: %s", async (_, damage) => {
  const ids = await threeDays();
  damage();
  const { problems, appliedSeq } = await lab.restart();
  expect(problems).toEqual([expect.stringMatching(/index\.db is damaged.*made again/)]);
  expect(appliedSeq).toBe(0);
  const { jobs } = await lab.worker.ask("list", { query: { minion: "web2" }, limit: 10 });
  expect(jobs.map(({ id }) => id)).toEqual(ids.reverse());
  expect(aside()).toHaveLength(1);
});

test("a missing index is made again without a word", async () => {
  await threeDays();
  rmSync(file("index.db"));
  expect(await lab.restart()).toMatchObject({ problems: [] });
  expect(await lab.worker.ask("usage", {})).toMatchObject({ jobs: 3 });
});

test("a job that ran on a day that is gone is lost, and nobody waits for it", async () => {
  const running = jobAt(FIRST);
  const result = storedResult("web1", "", FIRST + 5);
  await lab.apply({ kind: "created", job: running }, { kind: "ended", jobId: running.id, result });
  await lab.worker.ask("checkpoint", {});
  rmSync(file("2026-11-20.db"));
  const { problems } = await lab.restart();
  expect(problems).toEqual([expect.stringMatching(/2026-11-20\.db is missing/)]);
  expect(await lab.worker.ask("unfinished", {})).toEqual([]);
  expect(await lab.worker.ask("find", { jobId: running.id })).toMatchObject({
    finished: true,
    code: 1,
    counts: { succeeded: 1, lost: 1 },
  });
});

test("the journal brings a damaged day back as far as it goes", async () => {
  const job = jobAt(FIRST);
  await lab.finish(job);
  await lab.worker.ask("checkpoint", {});
  flipBit("2026-11-20.db", 3_000);
  await lab.restart();
  await lab.finish(job);
  expect(await lab.worker.ask("results", { jobId: job.id, from: 0, limit: 9 })).toHaveLength(2);
});

test.each([
  [
    "missing",
    () => {
      rmSync(file("2026-11-20.outputs"));
    },
  ],
  [
    "cut",
    () => {
      truncateSync(file("2026-11-20.outputs"), 100);
    },
  ],
  [
    "changed",
    () => {
      flipBit("2026-11-20.outputs", 50);
    },
  ],
])("an output log that is %s takes its values with it only", async (_, damage) => {
  const job = jobAt(FIRST);
  const small = storedResult("web1", "up", FIRST + 5);
  const large = storedResult("web2", LARGE, FIRST + 5);
  const events = [small, large].map(
    (result) => ({ kind: "ended", jobId: job.id, result }) as const,
  );
  await lab.apply({ kind: "created", job }, ...events);
  await lab.worker.ask("checkpoint", {});
  damage();
  await lab.restart();
  const [first, second] = await lab.worker.ask("results", { jobId: job.id, from: 0, limit: 9 });
  expect(first).toEqual(small);
  expect(second).toMatchObject({
    state: "succeeded",
    valueBytes: large.valueBytes,
    error: { message: expect.stringMatching(/lost: of .*2026-11-20\.outputs/) as string },
  });
  expect(second?.value).toBeUndefined();

  const later = jobAt(FIRST + 9);
  await lab.finish(later, LARGE.repeat(2));
  await lab.worker.ask("checkpoint", {});
  await lab.restart();
  const [kept] = await lab.worker.ask("results", { jobId: later.id, from: 0, limit: 9 });
  expect(kept?.value).toEqual([0, LARGE.repeat(2), ""]);
});

test("a disk that takes nothing loses nothing: the checkpoint is tried again", async () => {
  await threeDays();
  for (const blocked of ["2026-11-20.db.tmp", "index.db.tmp"]) {
    const job = jobAt(FIRST + blocked.length);
    await lab.finish(job);
    mkdirSync(file(blocked));
    const failed = lab.worker.ask("checkpoint", {});
    await expect(failed).rejects.toMatchObject({ reason: "unavailable" });
    expect(await lab.worker.ask("find", { jobId: job.id })).toMatchObject({ finished: true });
    rmdirSync(file(blocked));
    const { seq } = await lab.worker.ask("checkpoint", {});
    expect(await lab.restart()).toMatchObject({ appliedSeq: seq, problems: [] });
    const results = { jobId: job.id, from: 0, limit: 9 };
    expect(await lab.worker.ask("results", results)).toHaveLength(2);
  }
});
