import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { LyingHop } from "../fixtures/lyingHop";
import { startTreeFleet, type TreeFleet } from "../fixtures/treeFleet";

const LIMIT_MS = 120_000;

let fleet: TreeFleet;
let hop: LyingHop;

beforeAll(async () => {
  fleet = await startTreeFleet({ tiers: [1, 1] });
  await fleet.writeMap();
  await fleet.call({ spec: "leaf1", module: "test", method: "ping", delegate: true });
  hop = await LyingHop.before(fleet, "mid1");
}, LIMIT_MS);

afterAll(async () => {
  await hop.close();
  await fleet.close();
}, LIMIT_MS);

it.each([10, 5_000, 50_000])("lists %i minions of a sub-overlord", async (count) => {
  const minions = Array.from({ length: count }, (_, at) => {
    const name = `host${at}`;
    return { name, address: `${name}.example.org`, port: 51234, keyFingerprint: "a".repeat(64) };
  });
  hop.instead = (method) => (method === "delegation.ask" ? JSON.stringify(minions) : undefined);
  const connection = await fleet.connection();
  const listed = await connection.request("overlord/at", {
    path: ["mid1"],
    request: "minions/list",
    params: {},
  });
  expect(listed).toEqual(minions);
  const left = await readdir(join(fleet.dataOf(), "spool")).catch(() => []);
  expect(left).toEqual([]);
});

it("builds a map of 20,000 hosts that a sub-overlord tells of", async () => {
  const hosts = Array.from({ length: 20_000 }, (_, at) => ({
    name: `host${at}`,
    outcome: "not-an-overlord",
    identity: "a".repeat(64),
    children: [],
  }));
  hop.instead = (method) =>
    method === "delegation.map_below" ? JSON.stringify({ hosts }) : undefined;
  const connection = await fleet.connection();
  const built = await connection.request("map/build", {}, { timeoutMs: LIMIT_MS });
  expect(built.problems).toEqual([]);
  expect(built.hosts).toBe(20_001);
  const left = await readdir(join(fleet.dataOf(), "spool")).catch(() => []);
  expect(left).toEqual([]);
});
