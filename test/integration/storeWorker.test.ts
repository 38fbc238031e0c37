import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { JobEvent, JobRecord, StoredResult } from "../../server/jobs/store/storeTypes";
import { StoreWorker } from "../../server/jobs/store/workerClient";
import { buildStore, type StoreBundle } from "../fixtures/storeBundle";

const CREATED = Date.UTC(2026, 10, 22, 12);

let built: string;
let bundle: StoreBundle;
let folder: string;
let workers: StoreWorker[];
let seq: number;

beforeAll(async () => {
  built = mkdtempSync(join(tmpdir(), "store-bundle-"));
  bundle = await buildStore(built);
});
afterAll(() => {
  rmSync(built, { recursive: true, force: true });
});
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "store-")), "jobs");
  workers = [];
  seq = 0;
});
afterEach(async () => {
  for (const worker of workers) await worker.kill();
  rmSync(join(folder, ".."), { recursive: true, force: true });
});

function start(): StoreWorker {
  const limits = { keepMs: 7 * 86_400_000, keepJobs: 1_000, keepBytes: 1e9 };
  const data = { folder, limits, wasmFile: bundle.wasmFile };
  const worker = new StoreWorker(bundle.script, data, {
    forgotten: () => undefined,
    problem: () => undefined,
    died: () => undefined,
  });
  workers.push(worker);
  return worker;
}

async function apply(worker: StoreWorker, ...events: JobEvent[]): Promise<void> {
  const bytes = new TextEncoder().encode(events.map((event) => JSON.stringify(event)).join("\n"));
  await worker.ask("apply", { seq: ++seq, events: bytes }, [bytes.buffer]);
}

const job: JobRecord = {
  id: "web*-command-run-1",
  spec: "web*",
  module: "command",
  method: "run",
  argsText: '"id"',
  args: ["id"],
  async: false,
  createdAtMs: CREATED,
  nforks: 10,
  keepPlaces: false,
  minions: [{ name: "web1", address: "10.0.0.1", port: 51234 }, { name: "web2" }],
};

function result(minion: string, output: string): StoredResult {
  const value = [0, output, ""];
  return {
    minion,
    state: "succeeded",
    value,
    valueBytes: JSON.stringify(value).length,
    exitStatus: 0,
    digest: "d".repeat(22),
    attempt: 1,
    startedAtMs: CREATED + 5,
    durationMs: 20,
    atMs: CREATED + 25,
    outputs: [],
  };
}

test("what was applied is there, also after a checkpoint and in another worker", async () => {
  const first = start();
  await first.ask("open", {});
  const small = result("web1", "uid=0\n");
  const large = result("web2", "ü".repeat(10_000));
  await apply(first, { kind: "created", job }, { kind: "ended", jobId: job.id, result: small });
  await apply(first, { kind: "ended", jobId: job.id, result: large });
  await apply(first, { kind: "noted", jobId: job.id, atMs: CREATED + 30, event: "finished" });
  await expect(first.ask("checkpoint", {})).resolves.toEqual({ seq: 3 });
  expect(readdirSync(folder).sort()).toEqual(["2026-11-22.db", "2026-11-22.outputs", "index.db"]);
  await first.kill();

  const second = start();
  const opened = await second.ask("open", {});
  expect(opened).toMatchObject({ appliedSeq: 3, problems: [] });
  expect(await second.ask("find", { jobId: job.id })).toMatchObject({
    finished: true,
    finishedAtMs: CREATED + 30,
    counts: { succeeded: 2 },
    total: 2,
  });
  expect(await second.ask("record", { jobId: job.id })).toEqual(job);
  expect(await second.ask("results", { jobId: job.id, from: 0, limit: 10 })).toEqual([
    small,
    large,
  ]);
  expect(await second.ask("list", { query: { minion: "web2" }, limit: 5 })).toMatchObject({
    jobs: [{ id: job.id }],
  });
  const history = await second.ask("history", { jobId: job.id, from: 0, limit: 10 });
  expect(history.events.map((event) => (event.kind === "job" ? event.event : event.state))).toEqual(
    ["created", "succeeded", "succeeded", "finished"],
  );
});
