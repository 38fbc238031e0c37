import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTreeFleet, type TreeFleet } from "../fixtures/treeFleet";

let tree: TreeFleet;

beforeAll(async () => {
  tree = await startTreeFleet({ tiers: [2, 1], shared: true });
  await tree.writeMap();
}, 120_000);

afterAll(async () => {
  await tree.close();
});

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
