import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { isRunning, until } from "../fixtures/overlordBundle";
import { startTreeFleet, TOP, type TreeFleet } from "../fixtures/treeFleet";

let tree: TreeFleet;

beforeAll(async () => {
  tree = await startTreeFleet({ tiers: [2, 1], shared: true });
  await tree.writeMap();
}, 120_000);

afterAll(async () => {
  await tree.close();
});

it("what a hop may have begun before a detour is stopped there by a later overlord, once", async () => {
  await tree.call({ spec: "leaf1", module: "test", method: "ping", delegate: true });
  const file = join(tree.root, "doubted");
  const { id: jobId } = await (
    await tree.connection()
  ).request("calls/start", {
    spec: "leaf1",
    module: "command",
    method: "run",
    args: [`echo $$ >>${file}; exec sleep 300`],
    async: true,
    delegate: true,
  });
  await until(async () => (await readFile(file, "utf8").catch(() => "")).endsWith("\n"));
  const result = async () =>
    (await tree.connection()).request("jobs/result", { jobId, minion: "leaf1" });
  await tree.killMinions("mid1");
  await until(async () => (await result()).via?.[0] === "mid2");
  /** What was noted is on the disk with the call. */
  const killTop = async () => {
    await tree.call({ spec: "mid2", module: "test", method: "ping" });
    await tree.killOverlord(TOP);
  };
  await killTop();
  await (await tree.connection()).request("jobs/cancel", { jobId });
  await until(async () => (await result()).state === "cancelled");
  expect(await result()).toMatchObject({ mayHaveRun: true, via: ["mid2"] });
  await killTop();
  const cancels = async () =>
    (await readFile(join(tree.homeOf("mid1"), "audit.log"), "utf8")).split('"delegation.cancel"')
      .length;
  const before = await cancels();
  await tree.connection();
  await tree.startMinions("mid1");
  await until(async () => (await cancels()) > before);
  await until(async () => (await result()).later !== undefined);
  await killTop();
  const asked = await cancels();
  await tree.call({ spec: "mid1", module: "test", method: "ping" });
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  expect(await cancels()).toBe(asked);
  expect((await readFile(file, "utf8")).trim().split("\n")).toHaveLength(1);
}, 120_000);

it("a start that a hop does not answer takes the other way, and runs once", async () => {
  // its key is known from now on: who has one runs no call twice
  await tree.call({ spec: "leaf1", module: "test", method: "ping", delegate: true });
  const connection = await tree.connection();
  await tree.connection("mid1");
  const file = join(tree.root, "ran");
  await tree.freezeOverlord("mid1");
  const { id: jobId } = await connection.request("calls/start", {
    spec: "leaf1",
    module: "command",
    method: "run",
    args: [`echo ran >>${file}`],
    async: true,
    delegate: true,
  });
  await tree.finished(jobId);
  const { results } = await connection.request("jobs/watch", { jobId });
  expect(results).toMatchObject([
    { minion: "leaf1", state: "succeeded", via: ["mid2"], signed: "yes" },
  ]);
  tree.thawOverlord("mid1");
  await tree.call({ spec: "mid1", module: "test", method: "ping" });
  expect(await readFile(file, "utf8")).toBe("ran\n");
}, 120_000);

it("a detour whose start was not answered is stopped as well by the next overlord", async () => {
  await tree.call({ spec: "leaf1", module: "test", method: "ping", delegate: true });
  const file = join(tree.root, "unanswered");
  const connection = await tree.connection();
  await tree.connection("mid2");
  const { id: jobId } = await connection.request("calls/start", {
    spec: "leaf1",
    module: "command",
    method: "run",
    args: [`echo $$ >>${file}; exec sleep 300`],
    async: true,
    delegate: true,
  });
  await until(async () => (await readFile(file, "utf8").catch(() => "")).endsWith("\n"));
  const result = async () =>
    (await tree.connection()).request("jobs/result", { jobId, minion: "leaf1" });
  const { startedAtMs } = await result();
  await tree.freezeOverlord("mid2");
  await tree.killMinions("mid1");
  await until(async () => (await result()).startedAtMs !== startedAtMs);
  await tree.killOverlord(TOP);
  await tree.startMinions("mid1");
  await (await tree.connection()).request("jobs/cancel", { jobId });
  await until(async () => (await result()).state === "cancelled");
  expect(await result()).toMatchObject({ mayHaveRun: true, via: ["mid1"] });
  tree.thawOverlord("mid2");
  const told = async () =>
    (await readFile(join(tree.homeOf("mid2"), "audit.log"), "utf8")).split('"delegation.cancel"')
      .length;
  const before = await told();
  await until(async () => (await told()) > before);
  const below = await tree.connection("mid2");
  await until(async () =>
    (await below.request("jobs/list", {})).jobs.every(({ finished }) => finished),
  );
  expect((await readFile(file, "utf8")).trim().split("\n")).toHaveLength(1);
}, 120_000);

it("a call that went another way is asked for there by the next overlord, and nowhere else", async () => {
  await tree.call({ spec: "leaf1", module: "test", method: "ping", delegate: true });
  await tree.killHost("mid1");
  const [go, ran] = [join(tree.root, "go"), join(tree.root, "ranOnce")];
  const connection = await tree.connection();
  const { id: jobId } = await connection.request("calls/start", {
    spec: "leaf1",
    module: "command",
    method: "run",
    args: [`echo ran >>${ran}; until [ -e ${go} ]; do sleep 0.1; done`],
    async: true,
    delegate: true,
  });
  const result = async () =>
    (await tree.connection(TOP)).request("jobs/result", { jobId, minion: "leaf1" });
  await until(async () => (await result()).state === "running");
  // what was noted is on the disk with it
  await tree.call({ spec: "mid2", module: "test", method: "ping" });
  await tree.killOverlord(TOP);
  const asked = async () =>
    (await readFile(join(tree.homeOf("mid1"), "audit.log"), "utf8")).split('"delegation.').length;
  const before = await asked();
  await tree.startMinions("mid1");
  expect(await result()).toMatchObject({ state: "running", via: ["mid2"] });
  await writeFile(go, "");
  await until(async () => (await result()).state === "succeeded");
  expect((await result()).via).toEqual(["mid2"]);
  expect(await readFile(ran, "utf8")).toBe("ran\n");
  expect(await asked()).toBe(before);
}, 120_000);

it("what one hop may have begun is not told as never begun because the other way failed", async () => {
  await tree.call({ spec: "leaf1", module: "test", method: "ping", delegate: true });
  const connection = await tree.connection();
  const begin = async (name: string, more: object): Promise<{ jobId: string; pid: number }> => {
    const file = join(tree.root, name);
    const args = [`echo $$ >${file}; exec sleep 300`];
    const call = { spec: "leaf1", module: "command", method: "run", args, async: true };
    const { id } = await connection.request("calls/start", { ...call, delegate: true, ...more });
    await until(async () => (await readFile(file, "utf8").catch(() => "")).endsWith("\n"));
    return { jobId: id, pid: Number(await readFile(file, "utf8")) };
  };
  const result = (jobId: string) => connection.request("jobs/result", { jobId, minion: "leaf1" });
  const tried = await begin("tried", {});
  const waiting = await begin("waiting", { deliveryLimitMs: 100_000 });
  const { startedAtMs } = await result(waiting.jobId);
  await tree.killMinions("mid1", "mid2");
  await tree.finished(tried.jobId);
  expect(await result(tried.jobId)).toMatchObject({
    state: "lost",
    mayHaveRun: true,
    via: ["mid1"],
    failedHop: "mid1",
  });
  // it is tried over mid2 then
  await until(async () => (await result(waiting.jobId)).startedAtMs !== startedAtMs);
  await connection.request("jobs/cancel", { jobId: waiting.jobId });
  await tree.finished(waiting.jobId);
  expect(await result(waiting.jobId)).toMatchObject({ state: "cancelled", mayHaveRun: true });
  await tree.startMinions("mid1", "mid2");
  await until(() => !isRunning(waiting.pid));
  expect(isRunning(tried.pid)).toBe(true);
  await connection.request("jobs/cancel", { jobId: tried.jobId });
  await until(() => !isRunning(tried.pid));
}, 120_000);
