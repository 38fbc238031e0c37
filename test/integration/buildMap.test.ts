import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { BuildMapParams, MapBuildResult } from "../../server/protocol/delegation";
import { startTreeFleet, TOP, type TreeFleet } from "../fixtures/treeFleet";

let fleet: TreeFleet;

beforeAll(async () => {
  fleet = await startTreeFleet({ tiers: [2, 2], direct: ["web1"] });
});

afterAll(() => fleet.close());

async function build(params: BuildMapParams = {}): Promise<MapBuildResult> {
  const connection = await fleet.connection();
  return connection.request("map/build", params);
}

const mapFile = (): Promise<string> => readFile(join(fleet.dataOf(TOP), "map"), "utf8");

test("a build finds the whole tree, with the key of each host", async () => {
  const told: unknown[] = [];
  const connection = await fleet.connection();
  const watching = connection.on("map/building", (progress) => told.push(progress));
  const built = await build();
  watching.dispose();
  expect(built).toMatchObject({ hosts: 7, removed: [], rekeyed: [], problems: [] });
  expect(built.added).toEqual([["mid1"], ["mid2"], ["web1"]]);
  expect(told.at(-1)).toEqual({ asked: 3, known: 7 });
  expect(await mapFile()).toBe(fleet.mapText());
  const { nodes } = await connection.request("map/read", {});
  expect(nodes[0]?.children[0]).toMatchObject({
    name: "leaf1",
    identity: fleet.record("leaf1").keyFingerprint,
  });
});

test("what cannot be asked now stays as it was, and only alive leaves it out", async () => {
  await build();
  await fleet.killMinions("mid2", "leaf1");
  const kept = await build();
  expect(kept.removed).toEqual([]);
  expect(kept.problems.map(({ path, outcome }) => [path.join("/"), outcome])).toEqual([
    ["mid1/leaf1", "not-asked"],
    ["mid2", "not-asked"],
  ]);
  expect(kept.problems[1]?.message).toContain("The 2 hosts behind it are those of the last map.");

  const alive = await build({ onlyAlive: true });
  expect(alive.removed).toEqual([["mid1", "leaf1"], ["mid2"]]);
  expect(await mapFile()).toBe("---\nmid1:\n    leaf2: {}\nweb1: {}\n");

  await fleet.startMinions("mid2", "leaf1");
  const appended = await build({ append: true });
  expect(appended.added).toEqual([["mid1", "leaf1"], ["mid2"]]);
  expect(await mapFile()).toBe(fleet.mapText());
});

test("append keeps what is not found, to every depth; without it that goes", async () => {
  await fleet.writeMap("mid1:\n    old1: {}\nold2: {}\n");
  expect((await build({ append: true })).removed).toEqual([]);
  expect(await mapFile()).toContain("    old1: {}\n");
  expect((await build()).removed).toEqual([["mid1", "old1"], ["old2"]]);
});

test("a host that does not answer in time keeps nobody else out", async () => {
  await build();
  fleet.freezeMinions("mid1");
  try {
    const built = await build({ timeoutMs: 2_000 });
    expect(built.hosts).toBe(7);
    expect(built.problems.map(({ path }) => path)).toEqual([["mid1"]]);
  } finally {
    fleet.thawMinions("mid1");
  }
});

test("a damaged map is not added to, stays in use meanwhile, and is replaced by a new one", async () => {
  const connection = await fleet.connection();
  await build();
  await fleet.writeMap("mid1:\n    leaf1: {}\nmid2");
  expect((await connection.request("map/read", {})).problem).toMatch(/map:3:1/);
  await expect(build({ append: true })).rejects.toMatchObject({ reason: "conflict" });
  await build();
  expect(await mapFile()).toBe(fleet.mapText());
});

test("a cancelled build leaves the map as it was", async () => {
  await fleet.writeMap("web1: {}\n");
  fleet.freezeMinions("mid1");
  try {
    const connection = await fleet.connection();
    const cancelling = new AbortController();
    const watching = connection.on("map/building", () => {
      cancelling.abort();
    });
    await expect(
      connection.request("map/build", {}, { signal: cancelling.signal }),
    ).rejects.toMatchObject({ reason: "cancelled" });
    watching.dispose();
    expect(await mapFile()).toBe("web1: {}\n");
  } finally {
    fleet.thawMinions("mid1");
  }
});

test("eight processes build and read at the same time, and no reader sees half a map", async () => {
  await build();
  const runs = await Promise.all(
    Array.from({ length: 8 }, (_, index) =>
      fleet.func(index % 2 === 0 ? ["build-map", "--append"] : ["map", "show"]),
    ),
  );
  expect(runs.map(({ status, stderr }) => [status, stderr])).toEqual(runs.map(() => [0, ""]));
  expect(await mapFile()).toBe(fleet.mapText());
});

test("the command line shows what changed, the tree, paths and what is wrong in the file", async () => {
  await fleet.writeMap("web1: {}\n");
  const built = await fleet.func(["build-map", "-v", "-t", "20"]);
  expect(built.stdout).toMatch(/^mid1 .*\n├─ leaf1 {2}[0-9a-f]{12}\n└─ leaf2/);
  expect(built.stdout).toContain("map: 7 hosts\n  + mid1\n  + mid2\n");
  const path = await fleet.func(["map", "path", "leaf3", "web1", "nobody"]);
  expect(path).toMatchObject({ status: 1, stdout: "mid2 -> leaf3\nweb1\n" });
  expect(path.stderr).toContain('"nobody" is not in the map');
  expect(await fleet.func(["map", "check"])).toMatchObject({ status: 0 });
  const other = join(fleet.root, "other.yaml");
  await writeFile(other, "web1: {}\nweb1: 5\n");
  const check = await fleet.func(["map", "check", "--mapfile", other]);
  expect(check.status).toBe(1);
  expect(check.stdout).toContain(`${other}:2:1: error: "web1" stands twice`);
});
