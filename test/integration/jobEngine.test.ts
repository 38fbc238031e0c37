import { existsSync, readdirSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { JobProgress, JobsChanged, MinionResult } from "../../server/protocol/jobs";
import type { StartCallParams } from "../../server/protocol/requests";
import { isRunning, until } from "../fixtures/overlordBundle";
import { RealFleet } from "../fixtures/realFleet";

let fleet: RealFleet;

beforeAll(async () => {
  fleet = await RealFleet.create();
  await fleet.add("web1", "web2");
});

afterAll(async () => {
  await fleet.close();
});

async function start(params: Partial<StartCallParams>): Promise<string> {
  const connection = await fleet.connection();
  const call = { spec: "*", module: "command", method: "run", args: [], ...params };
  return (await connection.request("calls/start", call)).id;
}

async function ended(jobId: string): Promise<JobProgress> {
  const connection = await fleet.connection();
  await until(async () => (await connection.request("jobs/status", { jobId })).code === 1);
  return connection.request("jobs/watch", { jobId });
}

async function result(jobId: string, minion: string): Promise<MinionResult> {
  return (await fleet.connection()).request("jobs/result", { jobId, minion });
}

/** How many of a minion's jobs are acknowledged. */
function acknowledged(name: string): number {
  const jobs = join(fleet.home(name), "jobs");
  return readdirSync(jobs).filter((folder) => existsSync(join(jobs, folder, "acknowledged")))
    .length;
}

it("answers from the store alone, as before, in another process and with the minions gone", async () => {
  const big = "x".repeat(300_000);
  const ids = [
    await start({ module: "test", method: "echo", args: [{ needle: [1, big] }] }),
    await start({ args: ["echo needle; exit 3"], async: true }),
    await start({ module: "test", method: "nosuch" }),
  ];
  for (const id of ids) await ended(id);
  await until(() => acknowledged("web1") === 1 && acknowledged("web2") === 1);
  const answers = async (): Promise<unknown[]> => {
    const connection = await fleet.connection();
    const { jobs } = await connection.request("jobs/list", {});
    const all: unknown[] = [jobs];
    for (const jobId of ids) {
      const { seq: _, ...snapshot } = await connection.request("jobs/watch", { jobId });
      all.push(
        snapshot,
        await connection.request("jobs/status", { jobId }),
        await connection.request("jobs/result", { jobId, minion: "web1" }),
        await connection.request("jobs/results", { jobId, from: 1, limit: 10 }),
        await connection.request("jobs/attempts", { jobId, minion: "web2" }),
        await connection.request("jobs/search", { jobId, text: "needle" }),
        await connection.request("jobs/call", { jobId }),
      );
    }
    return all;
  };
  const before = await answers();
  await fleet.stopAll();
  expect(await answers()).toEqual(before);
  const connection = await fleet.connection();
  const { matches } = await connection.request("jobs/searchAll", { text: "needle" });
  expect(new Set(matches.map(({ jobId }) => jobId))).toEqual(new Set(ids.slice(0, 2)));
  const { events } = await connection.request("jobs/history", {
    jobId: ids[1] ?? "",
    from: 0,
    limit: 100,
  });
  expect(events.at(0)).toMatchObject({ kind: "job", event: "created" });
  expect(events.at(-1)).toMatchObject({ kind: "job", event: "finished" });
  expect(await connection.request("jobs/delete", { jobIds: ids })).toEqual({ deleted: ids });
  expect(await connection.request("jobs/list", {})).toEqual({ jobs: [] });
  expect(await connection.request("jobs/status", { jobId: ids[0] ?? "" })).toEqual({
    code: 2,
    results: null,
  });
  await Promise.all(["web1", "web2"].map((name) => fleet.startMinion(name)));
});

it("calls those again that failed, in the same job, and keeps their earlier attempts", async () => {
  await fleet.stopMinion("web2");
  const jobId = await start({ module: "test", method: "echo", args: ["hi"] });
  expect((await ended(jobId)).summary.counts).toEqual({ succeeded: 1, unreachable: 1 });
  await fleet.stopOverlord();
  await fleet.startMinion("web2");
  const connection = await fleet.connection();
  const again = await connection.request("jobs/retry", { jobId });
  expect(again).toMatchObject({ id: jobId, finished: false, attempts: 2 });
  const { summary, results } = await ended(jobId);
  expect(summary).toMatchObject({ attempts: 2, counts: { succeeded: 2 } });
  expect(results).toMatchObject([{ minion: "web1" }, { minion: "web2", attempt: 2, value: "hi" }]);
  const { results: attempts } = await connection.request("jobs/attempts", {
    jobId,
    minion: "web2",
  });
  expect(attempts.map(({ state }) => state)).toEqual(["unreachable", "succeeded"]);
  await expect(connection.request("jobs/retry", { jobId })).rejects.toMatchObject({
    reason: "conflict",
  });
  await expect(
    connection.request("jobs/retry", { jobId, minions: ["web9"] }),
  ).rejects.toMatchObject({ reason: "not-found" });
});

it("remembers a cancel for a minion that is away, over a restart, and tells it when it is back", async () => {
  const file = join(fleet.root, "pid");
  const args = [`echo $$ > ${file}; sleep 1000`];
  const jobId = await start({ spec: "web1", args, async: true });
  await until(async () => (await result(jobId, "web1")).state === "running" && existsSync(file));
  const pid = Number(await readFile(file, "utf8"));
  await fleet.stopMinion("web1");
  await (await fleet.connection()).request("jobs/cancel", { jobId });
  await ended(jobId);
  expect(await result(jobId, "web1")).toMatchObject({ state: "cancelled", cancelPending: true });
  await fleet.stopOverlord();
  expect(isRunning(pid)).toBe(true);
  await fleet.startMinion("web1");
  await fleet.connection();
  await until(() => !isRunning(pid));
  await until(async () => (await result(jobId, "web1")).cancelPending !== true);
  const message = "web1 told later: Cancelled; web1 has stopped the job.";
  const later = { state: "cancelled", message };
  expect(await result(jobId, "web1")).toMatchObject({ state: "cancelled", later });
});

it("learns how a call had ended that was cancelled while its minion was away", async () => {
  const go = join(fleet.root, "go");
  const args = [
    `touch ${go}.begun; until [ -e ${go} ]; do sleep 0.1; done; echo end; touch ${go}.ended; exit 3`,
  ];
  const jobId = await start({ spec: "web1", args, async: true });
  await until(() => Promise.resolve(existsSync(`${go}.begun`)));
  await fleet.stopMinion("web1");
  const connection = await fleet.connection();
  await connection.request("jobs/cancel", { jobId });
  const { results } = await ended(jobId);
  expect(results).toMatchObject([{ state: "cancelled", cancelPending: true }]);
  await writeFile(go, "");
  await until(() => Promise.resolve(existsSync(`${go}.ended`)));
  await fleet.startMinion("web1");
  await until(async () => (await result(jobId, "web1")).later !== undefined);
  expect(await result(jobId, "web1")).toMatchObject({
    state: "cancelled",
    digest: results[0]?.digest,
    later: {
      state: "succeeded",
      message: "web1 told later: the call had succeeded (exit 3): end",
      value: [3, "end\n", ""],
      exitStatus: 3,
    },
  });
});

it("cancels what runs, and keeps the result of what had ended before", async () => {
  const jobId = await start({ spec: "web1;web2", args: ["sleep 1000"], async: true });
  const connection = await fleet.connection();
  await until(async () => {
    const { summary } = await connection.request("jobs/watch", { jobId });
    return summary.counts.running === 2;
  });
  await connection.request("jobs/cancel", { jobId });
  const { summary, results } = await ended(jobId);
  expect(summary).toMatchObject({ cancelRequested: true, counts: { cancelled: 2 } });
  for (const one of results) expect(one.cancelPending).toBeUndefined();
});

it("stops what went on beyond its limit where its job is cancelled once more", async () => {
  const connection = await fleet.connection();
  const script = join(fleet.home("web1"), "..", "leftover");
  const command = `echo $$ >${script}.pid; exec sleep 300`;
  const jobId = await start({ spec: "web1", args: [command], async: true, timeoutMs: 1_500 });
  await ended(jobId);
  expect(await result(jobId, "web1")).toMatchObject({ state: "timed-out" });
  let pid = 0;
  await until(async () => {
    pid = Number(await readFile(`${script}.pid`, "utf8").catch(() => ""));
    return pid > 0;
  });
  expect(isRunning(pid)).toBe(true);
  expect(await connection.request("jobs/cancel", { jobId })).toMatchObject({ stopped: 1 });
  await until(() => !isRunning(pid));
  // the minion learns of its end a moment later
  await until(async () => {
    const { stopped } = await connection.request("jobs/cancel", { jobId });
    return stopped === undefined;
  });
  expect(await result(jobId, "web1")).toMatchObject({ state: "timed-out" });
});

it("stops what went on beyond its limit where its job is cancelled while others still run", async () => {
  const connection = await fleet.connection();
  const file = join(fleet.home("web1"), "..", "leftoverOfSome.pid");
  fleet.pause("web2");
  const args = [`echo $$ >${file}; exec sleep 300`];
  const jobId = await start({ args, async: true, timeoutMs: 1_500 });
  await until(async () => (await result(jobId, "web1")).state === "timed-out");
  const pid = Number(await readFile(file, "utf8"));
  expect(isRunning(pid)).toBe(true);
  const { finished } = await connection.request("jobs/cancel", { jobId });
  expect(finished).toBe(false);
  await until(() => !isRunning(pid));
  fleet.unpause("web2");
  await ended(jobId);
  expect(await result(jobId, "web1")).toMatchObject({ state: "timed-out" });
});

it("goes on with async jobs after SIGTERM, and tells clients of the list what changes", async () => {
  const connection = await fleet.connection();
  const news: JobsChanged[] = [];
  connection.on("jobs/changed", (changes) => news.push(changes));
  await connection.request("jobs/list", {});
  const jobId = await start({ args: ["sleep 2; echo late"], async: true });
  await until(async () => {
    const { summary } = await connection.request("jobs/watch", { jobId });
    return summary.counts.running === 2;
  });
  await until(() => news.some(({ changed }) => changed.some(({ id }) => id === jobId)));
  const { pid } = await connection.request("overlord/status", {});
  await expect(connection.request("overlord/stop", {})).rejects.toMatchObject({
    reason: "conflict",
    message: expect.stringMatching(/1 job runs: 1 async would go on/) as string,
  });
  process.kill(pid, "SIGTERM");
  await until(() => !isRunning(pid));
  await fleet.stopOverlord();
  const { summary, results } = await ended(jobId);
  expect(summary.counts).toEqual({ succeeded: 2 });
  expect(results.map(({ value }) => value)).toEqual([
    [0, "late\n", ""],
    [0, "late\n", ""],
  ]);
});

it("goes on to deliver to a minion that is away until the limit, and not beyond", async () => {
  await fleet.stopMinion("web2");
  const late = await start({
    spec: "web2",
    args: ["echo here"],
    async: true,
    deliveryLimitMs: 300_000,
  });
  const expired = await start({
    spec: "web2",
    args: ["echo never"],
    async: true,
    deliveryLimitMs: 1_500,
  });
  expect((await ended(expired)).results[0]).toMatchObject({ state: "expired" });
  await fleet.startMinion("web2");
  expect((await ended(late)).results[0]).toMatchObject({
    state: "succeeded",
    value: [0, "here\n", ""],
  });
});
