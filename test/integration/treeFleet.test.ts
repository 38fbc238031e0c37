import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTreeFleet, type TreeFleet } from "../fixtures/treeFleet";

const LIMIT_MS = 120_000;

describe("a tree of real processes", () => {
  let fleet: TreeFleet;
  beforeAll(async () => {
    fleet = await startTreeFleet({ tiers: [2, 2], direct: ["near1"] });
  }, LIMIT_MS);
  afterAll(() => fleet.close(), LIMIT_MS);

  it("knows who is where", () => {
    expect(fleet.overlords).toEqual(["top", "mid1", "mid2"]);
    expect(fleet.leaves).toEqual(["near1", "leaf1", "leaf2", "leaf3", "leaf4"]);
    expect(fleet.pathOf("leaf3")).toEqual(["mid2", "leaf3"]);
    expect(fleet.mapText()).toBe(
      "---\nmid1:\n    leaf1: {}\n    leaf2: {}\nmid2:\n    leaf3: {}\n    leaf4: {}\nnear1: {}\n",
    );
  });

  it(
    "has an overlord in each place, that calls those directly below it alone",
    async () => {
      for (const [overlord, minions] of [
        ["top", ["mid1", "mid2", "near1"]],
        ["mid1", ["leaf1", "leaf2"]],
        ["mid2", ["leaf3", "leaf4"]],
      ] as const) {
        const results = await fleet.call({ spec: "*", module: "test", method: "ping" }, overlord);
        expect([...results.keys()].sort()).toEqual(minions);
        expect([...results.values()].map(({ value }) => value)).toEqual(minions.map(() => 1));
      }
    },
    LIMIT_MS,
  );

  it(
    "brings hosts and overlords down and up again",
    async () => {
      const ping = { spec: "*", module: "test", method: "ping", timeoutMs: 3_000 };
      await fleet.killMinions("leaf1");
      fleet.freezeMinions("leaf2");
      const away = await fleet.call(ping, "mid1");
      expect(away.get("leaf1")?.state).toBe("unreachable");
      expect(away.get("leaf2")?.state).toBe("timed-out");
      fleet.thawMinions("leaf2");
      await fleet.startMinions("leaf1");
      await fleet.killOverlord("mid1");
      const back = await fleet.call(ping, "mid1");
      expect([...back.values()].map(({ state }) => state)).toEqual(["succeeded", "succeeded"]);
    },
    LIMIT_MS,
  );
});

describe("leaves that two overlords know", () => {
  it(
    "answer both",
    async () => {
      const fleet = await startTreeFleet({ tiers: [2, 2], shared: true });
      try {
        expect(fleet.leaves).toEqual(["leaf1", "leaf2"]);
        for (const overlord of ["mid1", "mid2"]) {
          const results = await fleet.call(
            { spec: "leaf*", module: "test", method: "ping" },
            overlord,
          );
          expect([...results.keys()]).toEqual(["leaf1", "leaf2"]);
          expect([...results.values()].map(({ value }) => value)).toEqual([1, 1]);
        }
      } finally {
        await fleet.close();
      }
    },
    LIMIT_MS,
  );
});
