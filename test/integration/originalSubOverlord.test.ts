import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { MinionResult } from "../../server/protocol/jobs";
import { OriginalFuncd } from "../fixtures/originalFuncd";
import { RealFleet } from "../fixtures/realFleet";

const MAP = "---\nmid1:\n    leaf1: {}\n    leaf2: {}\n    mid3:\n        leaf3: {}\n";

let fleet: RealFleet;
let mid1: OriginalFuncd;

beforeAll(async () => {
  fleet = await RealFleet.create();
  mid1 = await OriginalFuncd.start(await fleet.connection(), "mid1");
  await writeFile(join(fleet.data, "map"), MAP);
});

afterAll(async () => {
  await mid1.close();
  await fleet.close();
});

async function call(spec: string, async = false): Promise<Map<string, MinionResult>> {
  const connection = await fleet.connection();
  const call = { module: "test", method: "ping", args: [], delegate: true };
  const { id } = await connection.request("calls/start", { ...call, spec, async });
  for (;;) {
    const job = await connection.request("jobs/watch", { jobId: id });
    if (job.summary.finished) return new Map(job.results.map((one) => [one.minion, one]));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

it("a sub-overlord of the original is asked once for all behind it, and each host has its entry", async () => {
  const away = ["REMOTE_ERROR", "socket.error", "[Errno 111] Connection refused", "trace"];
  await mid1.control({ answers: { "delegation.run": [{ leaf1: 1, mid3: away }] } });
  const results = await call("leaf*");
  expect(results.get("leaf1")).toMatchObject({ value: 1, via: ["mid1"], signed: "no" });
  expect(results.get("leaf2")).toMatchObject({ state: "failed", mayHaveRun: true });
  expect(results.get("leaf2")?.error?.message).toBe("mid1 did not answer for leaf2.");
  expect(results.get("leaf3")).toMatchObject({ state: "failed", error: { type: "socket.error" } });
  const requests = await mid1.requests("delegation.run");
  expect(requests.map(({ params }) => params)).toEqual([
    ["test", "ping", [], [["leaf1"], ["leaf2"], ["mid3", "leaf3"]], false, 64, 60],
  ]);
});

it("an older one, that takes no limit, is asked without", async () => {
  const wrong = "run() takes exactly 7 arguments (8 given)";
  const error = ["REMOTE_ERROR", "exceptions.TypeError", wrong, "trace"];
  const before = (await mid1.requests("delegation.run")).length;
  // answers count from the first request on
  const earlier = Array.from({ length: before }, () => ({}));
  await mid1.control({ answers: { "delegation.run": [...earlier, error, { leaf1: 1 }] } });
  const results = await call("leaf1", true);
  expect(results.get("leaf1")).toMatchObject({ state: "succeeded", value: 1 });
  const requests = (await mid1.requests("delegation.run")).slice(before);
  expect(requests.map(({ params }) => params.length)).toEqual([7, 6]);
});

it("one that fails as a whole is told under each host", async () => {
  const error = ["REMOTE_ERROR", "exceptions.KeyError", "'mid2'", "trace"];
  await mid1.control({ answers: { "delegation.run": [error] } });
  const results = await call("leaf1;leaf3");
  for (const [name, result] of results) {
    expect(result).toMatchObject({ state: "failed", failedHop: "mid1", mayHaveRun: true });
    expect(result.error?.message).toBe(`mid1 failed, and does not tell of ${name}: 'mid2'`);
  }
});
