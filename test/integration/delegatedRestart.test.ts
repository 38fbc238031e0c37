import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { MinionResult } from "../../server/protocol/jobs";
import type { StartCallParams } from "../../server/protocol/requests";
import { until } from "../fixtures/overlordBundle";
import { startTreeFleet, TOP, type TreeFleet } from "../fixtures/treeFleet";

const LIMIT_MS = 120_000;

let tree: TreeFleet;

beforeAll(async () => {
  tree = await startTreeFleet({ tiers: [2, 1] });
  await tree.writeMap();
  for (const hop of ["mid1", "mid2"]) await tree.connection(hop);
}, LIMIT_MS);

afterAll(() => tree.close(), LIMIT_MS);

it(
  "a start that is not answered before too many have failed is stopped where it begins later",
  async () => {
    const [runs, first] = [join(tree.root, "runsSkipped"), join(tree.root, "first")];
    await tree.freezeOverlord("mid1");
    const jobId = await start({
      args: [`echo x >>${runs}; mkdir ${first} && exit 1; exec sleep 300`],
      async: true,
      maxErrors: 0,
    });
    await tree.finished(jobId);
    expect(await resultOf(jobId, "leaf2")).toMatchObject({ state: "succeeded", exitStatus: 1 });
    const skipped = await resultOf(jobId, "leaf1");
    expect(skipped).toMatchObject({ state: "skipped", mayHaveRun: true, cancelPending: true });
    expect(skipped.error?.message).toContain("mid1 did not answer the start");
    await tree.killOverlord(TOP);
    expect(await resultOf(jobId, "leaf1")).toEqual(skipped);
    tree.thawOverlord("mid1");
    await until(async () => (await resultOf(jobId, "leaf1")).cancelPending !== true);
    const below = await tree.connection("mid1");
    await until(async () =>
      (await below.request("jobs/list", {})).jobs.every(({ finished }) => finished),
    );
  },
  LIMIT_MS,
);

it(
  "what was lost at a hop is told later to the next overlord too, which asks once",
  async () => {
    const runs = join(tree.root, "runsLost");
    const jobId = await start({ args: [`echo x >>${runs}; sleep 2; echo end`], timeoutMs: 4_000 });
    await until(async () => (await linesOf(runs)) === 2);
    tree.freezeMinions("mid1");
    await tree.finished(jobId);
    const lost = await resultOf(jobId, "leaf1");
    expect(lost).toMatchObject({ state: "lost", mayHaveRun: true, failedHop: "mid1" });
    await tree.killOverlord(TOP);
    expect(await resultOf(jobId, "leaf1")).toEqual(lost);
    tree.thawMinions("mid1");
    await until(async () => (await resultOf(jobId, "leaf1")).later !== undefined);
    const { later, ...rest } = await resultOf(jobId, "leaf1");
    expect(rest).toEqual(lost);
    expect(later).toMatchObject({ state: "succeeded", value: [0, "end\n", ""] });
    // what was noted is on the disk with it
    await tree.call({ spec: "mid2", module: "test", method: "ping" });
    await tree.killOverlord(TOP);
    const asked = await askedOf("mid1");
    await tree.call({ spec: "mid1", module: "test", method: "ping" });
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(await askedOf("mid1")).toBe(asked);
    expect(await linesOf(runs)).toBe(2);
  },
  LIMIT_MS,
);

async function start(call: Partial<StartCallParams>): Promise<string> {
  const words = { spec: "leaf*", module: "command", method: "run", delegate: true, args: [] };
  const connection = await tree.connection();
  return (await connection.request("calls/start", { ...words, ...call })).id;
}

async function resultOf(jobId: string, minion: string): Promise<MinionResult> {
  return (await tree.connection()).request("jobs/result", { jobId, minion });
}

async function askedOf(hop: string): Promise<number> {
  const audit = await readFile(join(tree.homeOf(hop), "audit.log"), "utf8");
  return audit.split('"delegation.').length;
}

async function linesOf(file: string): Promise<number> {
  return existsSync(file) ? (await readFile(file, "utf8")).split("\n").length - 1 : 0;
}
