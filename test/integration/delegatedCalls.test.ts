import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTreeFleet, type TreeFleet } from "../fixtures/treeFleet";

const LIMIT_MS = 120_000;
const PING = { module: "test", method: "ping", delegate: true };

describe("calls through a tree", () => {
  let fleet: TreeFleet;
  beforeAll(async () => {
    fleet = await startTreeFleet({ tiers: [2, 2], direct: ["node01"] });
    await fleet.writeMap();
  }, LIMIT_MS);
  afterAll(() => fleet.close(), LIMIT_MS);

  it(
    "have the same results as direct ones",
    async () => {
      const results = await fleet.call({ ...PING, spec: "*" });
      expect([...results.keys()]).toEqual([
        "leaf1",
        "leaf2",
        "leaf3",
        "leaf4",
        "mid1",
        "mid2",
        "node01",
      ]);
      for (const result of results.values()) {
        expect(result).toMatchObject({ state: "succeeded", value: 1 });
      }
      expect(results.get("leaf1")).toMatchObject({ via: ["mid1"], signed: "first" });
      expect(results.get("mid1")?.via).toBeUndefined();
      const again = await fleet.call({ ...PING, spec: "leaf*" });
      expect([...again.keys()]).toEqual(["leaf1", "leaf2", "leaf3", "leaf4"]);
      expect(again.get("leaf1")).toMatchObject({ value: 1, via: ["mid1"], signed: "yes" });
    },
    LIMIT_MS,
  );
});
