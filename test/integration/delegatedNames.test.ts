import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTreeFleet, type TreeFleet } from "../fixtures/treeFleet";

const LIMIT_MS = 120_000;

let tree: TreeFleet;

beforeAll(async () => {
  tree = await startTreeFleet({ tiers: [2, 2] });
  const connection = await tree.connection();
  await connection.request("map/build", { append: false, onlyAlive: false });
}, LIMIT_MS);

afterAll(() => tree.close(), LIMIT_MS);

describe("the command line, of hosts behind sub-overlords", { timeout: LIMIT_MS }, () => {
  it("calls all that a glob means behind one of them", async () => {
    const words = ["*@mid2", "call", "--delegate", "test", "ping"];
    const called = await tree.func(words);
    expect(called).toMatchObject({ status: 0, stdout: "leaf3: 1\nleaf4: 1\n" });
    const jobs = await tree.func(["jobs", "list", "--minion", "*@mid2"]);
    expect(jobs.stdout).toContain("*@mid2");
    const all = await tree.func(["leaf*", "call", "--delegate", "test", "ping"]);
    expect(all.status).toBe(0);
    const listed = await tree.func(["--json", "jobs", "list", "--last", "1"]);
    const id = /"id":"([^"]+)"/.exec(listed.stdout)?.[1] ?? "";
    const status = await tree.func(["*@mid1;leaf4@mid2", "call", "--json", "--jobstatus", id]);
    expect(JSON.parse(status.stdout)).toEqual([1, { leaf1: 1, leaf2: 1, leaf4: 1 }]);
    const direct = await tree.func(words.filter((word) => word !== "--delegate"));
    expect(direct.status).toBe(2);
    expect(direct.stderr).toContain("2 hosts behind sub-overlords match");
  });

  it("tells that the map lacks hosts that were found when it was built", async () => {
    await tree.writeMap("mid1:\n    leaf1: {}\nmid2:\n    leaf3: {}\n    leaf4: {}\n");
    const short = await tree.func(["leaf*", "call", "--delegate", "test", "ping"]);
    expect(short.status).toBe(0);
    expect(short.stderr).toMatch(/^Warning: 1 host that fits .*\(mid1\/leaf2\): func map check/);
    const others = await tree.func(["leaf*@mid2", "call", "--delegate", "test", "ping"]);
    expect(others.stderr).not.toContain("Warning");
    const built = await tree.func(["build-map"]);
    expect(built.status).toBe(0);
    const whole = await tree.func(["leaf*", "call", "--delegate", "test", "ping"]);
    expect(whole.stderr).not.toContain("Warning");
  });

  it("names the hop that does not answer when it is asked for methods", async () => {
    tree.freezeMinions("mid1");
    try {
      const begunMs = performance.now();
      const asked = await tree.func(["leaf1", "--delegate", "methods"]);
      // the hop has ten seconds, and nothing else is tried over it
      expect(performance.now() - begunMs).toBeLessThan(20_000);
      expect(asked.status).toBe(1);
      expect(asked.stderr).toContain("waiting for the methods of leaf1");
      expect(asked.stderr).toContain(
        "leaf1 cannot be asked, since its hop mid1 does not answer: mid1 ",
      );
    } finally {
      tree.thawMinions("mid1");
    }
  });
});
