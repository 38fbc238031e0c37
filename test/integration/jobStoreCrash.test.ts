import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createLog } from "../../server/common/log";
import { openJobStore } from "../../server/jobs/store/jobStore";
import type { JobStore } from "../../server/jobs/store/storeTypes";
import { StoreWorker } from "../../server/jobs/store/workerClient";
import { created, ended, finished } from "../fixtures/jobEvents";
import { buildPrograms } from "../fixtures/programs";

const LIMITS = { keepMs: 1e14, keepJobs: 1_000_000, keepBytes: 1e12 };

let home: string;
let writer: string;
const lines: string[] = [];

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "func-store-crash-"));
  writer = join(home, "writer.js");
  await build({
    entryPoints: ["test/fixtures/storeWriter.ts"],
    outfile: writer,
    bundle: true,
    platform: "node",
    format: "cjs",
    mainFields: ["module", "main"],
    logLevel: "warning",
  });
  await buildPrograms(home, ["overlord"]);
});
afterAll(() => rm(home, { recursive: true, force: true }));

function open(folder: string): Promise<JobStore> {
  const log = createLog((line) => lines.push(line));
  return openJobStore(folder, { limits: LIMITS, programs: home, log });
}

/** What the writer said before it was killed. */
async function killedAfter(folder: string, name: string, count: number): Promise<string[]> {
  const child = spawn(process.execPath, [writer, folder, home, name], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
    if (said.length > count * 20) child.kill("SIGKILL");
  });
  await once(child, "close");
  return said.slice(0, said.lastIndexOf("\n")).split("\n");
}

it("has all that it has acknowledged, however often it is killed in the middle of a write", async () => {
  const folder = join(home, "killed");
  const told: string[] = [];
  for (const [round, count] of [1, 150, 400, 700, 1_100].entries()) {
    told.push(...(await killedAfter(folder, `round${round}`, count)));
  }
  expect(told.length).toBeGreaterThan(1_000);
  const store = await open(folder);
  for (const line of told) {
    const [what, id = ""] = line.split(" ");
    const job = await store.find(id);
    expect(job, line).toBeDefined();
    if (what === "finished") expect(job, line).toMatchObject({ counts: { succeeded: 2 } });
  }
  const unfinished = await store.unfinished();
  // at most what the writers had under way
  expect(unfinished.length).toBeLessThanOrEqual(5 * 64);
  expect(unfinished.filter(({ incomplete }) => incomplete)).toEqual([]);
  await store.close();
  expect(lines.filter((line) => line.includes('"error"'))).toEqual([]);
  expect((await readdir(folder)).filter((name) => name.includes("damaged"))).toEqual([]);
}, 120_000);

it("goes on where the thread with the databases is killed, and loses nothing", async () => {
  const folder = join(home, "thread");
  const workers: StoreWorker[] = [];
  const log = createLog((line) => lines.push(line));
  const store = await openJobStore(folder, {
    limits: LIMITS,
    programs: home,
    log,
    startWorker: (listeners) => {
      const data = { folder, limits: LIMITS, wasmFile: join(home, "sql-wasm.wasm") };
      const worker = new StoreWorker(join(home, "store.js"), data, listeners);
      workers.push(worker);
      return worker;
    },
  });
  const jobs = Array.from({ length: 300 }, (_, n) => `job${n}`);
  const append = async (id: string): Promise<void> => {
    await store.append([created(id)]);
    await store.append([ended(id), finished(id)]);
  };
  await Promise.all(jobs.slice(0, 100).map(append));
  expect(await store.find("job99")).toMatchObject({ finished: true });
  const rest = Promise.all(jobs.slice(100).map(append));
  // as a crash: nobody has closed it
  await (Reflect.get(workers[0] ?? {}, "worker") as Worker).terminate();
  await rest;
  for (const id of jobs) expect(await store.find(id)).toMatchObject({ finished: true });
  expect(workers).toHaveLength(2);
  await store.close();
  const next = await open(folder);
  expect(await next.unfinished()).toEqual([]);
  expect((await next.usage()).jobs).toBe(300);
  await next.close();
});
