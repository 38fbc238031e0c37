import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { build as bundle } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startFuncd } from "../../server/client/funcdProcess";
import { parseMap } from "../../server/delegation/mapText";
import type { BuildMapParams, MapBuildResult } from "../../server/protocol/delegation";
import { readEndpoint, until } from "../fixtures/overlordBundle";
import { startTreeFleet, TOP, type TreeFleet } from "../fixtures/treeFleet";

let fleet: TreeFleet;

beforeAll(async () => {
  fleet = await startTreeFleet({ tiers: [2, 2], direct: ["web1"] });
  // its overlord begins with the first build, and is looked at by the last test
  const yaml = join(fleet.dataOf("mid2"), "overlord.yaml");
  await appendFile(yaml, "map: {build_every: 1m}\n");
});

afterAll(() => fleet.close());

async function build(params: BuildMapParams = {}): Promise<MapBuildResult> {
  const connection = await fleet.connection();
  return connection.request("map/build", params);
}

const mapFile = (overlord = TOP): Promise<string> =>
  readFile(join(fleet.dataOf(overlord), "map"), "utf8");

/** What writing the map in this folder has left besides. */
const leftovers = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((name) => /^\.map.*\.tmp$|^map\.lock/.test(name));

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
  expect(kept.problems[1]?.message).toMatch(
    /^The 2 hosts behind it are those of the last map\. mid2 .* refused the connection/,
  );
  expect(kept.problems[1]?.message).not.toMatch(/Nothing was run|Errno/);
  expect(kept.problems[0]?.message).toMatch(
    /^leaf1 .* on that port\. At mid1: Start funcd on that/,
  );

  const alive = await build({ onlyAlive: true });
  expect(alive.removed).toEqual([["mid1", "leaf1"], ["mid2"]]);
  expect(alive.problems.map(({ path }) => path)).toEqual([["mid2"]]);
  expect(alive.problems[0]?.message).toMatch(/^It is away: left out, with 2 hosts behind it\. /);
  expect(await mapFile()).toBe("---\nmid1:\n    leaf2: {}\nweb1: {}\n");

  // the last map knows nothing of them any more
  const again = await fleet.func(["build-map", "-o"]);
  expect(again).toMatchObject({ status: 1 });
  expect(again.stderr).toMatch(
    /^func: mid2: It is away: left out; 2 hosts were seen behind it, last on .* UTC\. /,
  );
  const plain = await fleet.func(["build-map"]);
  expect(plain).toMatchObject({ status: 1 });
  expect(plain.stderr).toMatch(
    /^func: mid2: It stands in the map without hosts, since the last one lacks it; 2 hosts were seen behind it, last on /m,
  );
  expect(await mapFile()).toContain("mid2: {}\n");
  const check = await fleet.func(["map", "check"]);
  expect(check.stdout).toMatch(
    /map:5:1: warning: mid2 has nobody behind it here, where 2 hosts were seen, last on .*: leaf3, leaf4\. Unless/,
  );

  const leaf = await fleet.func(["leaf3", "ping", "--delegate"]);
  expect(leaf).toMatchObject({ status: 2 });
  expect(leaf.stderr).toMatch(
    /^func: Can't find any minions matching "leaf3": it was seen behind mid2, last on .*, which stands in the map without hosts\.\n +Once mid2 answers, build the map again: func build-map\.\n$/,
  );
  // as after a disk was lost, and a person's slip
  await rm(join(fleet.dataOf(TOP), "map"));
  const first = await fleet.func(["build-map"]);
  expect(first.stdout).toMatch(/map: 5 hosts; there was no map before\n {2}\+ mid1\n/);
  expect(first.stderr).toMatch(/^func: mid2: It stands .* since there was no map before; 2 hosts/m);
  await fleet.writeMap("web1: {}\nmid2");
  const mended = await fleet.func(["build-map"]);
  expect(mended.stdout).toMatch(
    /map: 5 hosts, as in the last good map; the damaged one is replaced/,
  );

  await fleet.startMinions("mid2", "leaf1");
  const appended = await build({ append: true });
  expect(appended.added).toEqual([
    ["mid2", "leaf3"],
    ["mid2", "leaf4"],
  ]);
  expect(await mapFile()).toBe(fleet.mapText());
});

test("append keeps what is not found, to every depth; without it that goes", async () => {
  await fleet.writeMap("mid1:\n    old1: {}\nold2: {}\n");
  expect((await build({ append: true })).removed).toEqual([]);
  expect(await mapFile()).toContain("    old1: {}\n");
  expect((await build()).removed).toEqual([["mid1", "old1"], ["old2"]]);
});

test("a host that does not answer in time keeps nobody else out", async () => {
  // more than any sub-overlord takes for its own part
  expect((await build({ timeoutMs: 24 * 60 * 60_000 })).problems).toEqual([]);
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
  const check = await fleet.func(["map", "check"]);
  expect(check.status).toBe(1);
  expect(check.stderr).toMatch(/the last good map stays in use\. .*func build-map/);
  const path = await fleet.func(["map", "path", "leaf1"]);
  expect(path).toMatchObject({ status: 1, stdout: "mid1 -> leaf1\n" });
  expect(path.stderr).toMatch(/the last good map is in use: .*map:3:1.*func build-map/);
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
  const glob = await fleet.func(["leaf*", "ping"]);
  expect(glob).toMatchObject({ status: 2 });
  expect(glob.stderr).toMatch(/4 hosts behind sub-overlords match "leaf\*": call them with --del/);
  const all = await fleet.func(["*", "call", "test", "add", "1", "2"]);
  expect(all.stderr).toMatch(/^func: 4 more hosts that fit stand behind mid1, mid2: --delegate/);
  const group = await fleet.func(["group", "add", "far", "leaf1", "nobody"]);
  expect(group.stderr).toContain(
    "leaf1 stands behind mid1: calls of the group reach it with --delegate",
  );
  expect(group.stderr).toContain("nobody is no minion yet");
  expect(await fleet.func(["group", "remove", "far"])).toMatchObject({ status: 0 });
  const noHop = await fleet.func(["ca", "list", "--at", "leaf1"]);
  expect(noHop).toMatchObject({ status: 1, stdout: "" });
  expect(noHop.stderr).toMatch(/leaf1 is no sub-overlord .*behind mid1.*\n.*--at mid1/);
  const other = join(fleet.root, "other.yaml");
  await writeFile(other, "web1: {}\nweb1: 5\n");
  const check = await fleet.func(["map", "check", "--mapfile", other]);
  expect(check.status).toBe(1);
  expect(check.stdout).toContain(`${other}:2:1: error: "web1" stands twice`);
});

test("a check compares the map with the minions of the overlord and what it has seen", async () => {
  const map = join(fleet.dataOf(TOP), "map");
  await fleet.writeMap("mid1:\n    leaf9: {}\nmid9: {}\nweb1:\n    leaf1: {}\n");
  const check = await fleet.func(["map", "check"]);
  expect(check.status).toBe(1);
  expect(check.stdout.split("\n")).toEqual([
    `${map}: warning: of this overlord's minions mid2 (with 2 hosts behind it) does not stand in the map. Unless it was taken out on purpose: func build-map.`,
    expect.stringMatching(/map:1:1: .* 2 are not in the map: leaf1, leaf2\. Unless/),
    `${map}:2:5: warning: leaf9 has never shown a key: nobody has found it behind mid1.`,
    `${map}:3:1: error: mid9 is no minion of this overlord, so nothing can be called over it.`,
    `${map}:4:1: warning: web1 is not known to be a sub-overlord: nobody has ever been found behind it.`,
    `${map}:5:5: warning: leaf1 has never shown a key: nobody has found it behind web1.`,
    "",
  ]);
  await fleet.writeMap(
    "mid1:\n    mid2:\n        mid1:\n            leaf1: {}\nmid9:\n    leaf3: {}\n",
  );
  const cycle = await fleet.func(["map", "check"]);
  expect(cycle.stdout).toMatch(
    /map:3:9: warning: mid1 -> mid2 -> mid1 is a cycle, which begins in line 1 and ends here/,
  );
  const stranger = await fleet.func(["map", "path", "leaf3", "mid2"]);
  expect(stranger).toMatchObject({ status: 1, stdout: "mid9 -> leaf3\nmid2\n" });
  expect(stranger.stderr).toMatch(
    /^func: mid9 is no minion of .*nothing can be called over it\.\n/,
  );
  // cut off at a line's end, and a copy of it
  await fleet.writeMap("---\nmid1:\n    leaf1: {}\n");
  const cut = await fleet.func(["map", "check"]);
  expect(cut.status).toBe(0);
  expect(cut.stdout).toMatch(
    /^.*map: warning: .* mid2 \(with 2 hosts behind it\), web1 do not stand/,
  );
  expect(cut.stdout).toMatch(
    /map:2:1: warning: of the 2 hosts .* behind mid1, last on .*, 1 is not in the map: leaf2\. Unless/,
  );
  const copy = join(fleet.root, "copy.yaml");
  await writeFile(copy, "mid1:\n    leaf1: {}\nnobody: {}\n");
  const checked = await fleet.func(["map", "check", copy]);
  expect(checked).toMatchObject({ status: 1 });
  expect(checked.stdout).toMatch(/copy\.yaml:3:1: error: nobody is no minion/);
  await fleet.writeMap("");
  const empty = await fleet.func(["map", "check"]);
  expect(empty).toMatchObject({ status: 1 });
  expect(empty.stdout).toContain(`${map}:1:1: error: the map names no host`);
});

test("an overlord killed while it writes the map leaves a whole one, and nothing beside it for long", async () => {
  const maps = ["web1: {}\n", fleet.mapText()];
  for (let round = 0; round < 3; round++) {
    await fleet.writeMap(maps[0]);
    const connection = await fleet.connection();
    const { pid } = await readEndpoint(fleet.dataOf(TOP));
    const asked = new Promise<void>((resolve) => {
      connection.on("map/building", (progress) => {
        if (progress.asked === 3) resolve();
      });
    });
    const built = connection.request("map/build", {}).catch(() => undefined);
    await asked;
    await sleep(Math.random() * 40);
    process.kill(pid, "SIGKILL");
    await built;
    await fleet.killOverlord(TOP);
    expect(maps).toContain(await mapFile());
  }
  await build();
  expect(await mapFile()).toBe(fleet.mapText());
  expect(await leftovers(fleet.dataOf(TOP))).toEqual([]);
});

test("a large map is whole wherever in the writing of it a process is killed", async () => {
  const folder = join(fleet.root, "writing");
  const map = join(folder, "map");
  const script = join(fleet.root, "mapWriter.js");
  const hosts = 500;
  await mkdir(folder);
  await bundle({
    entryPoints: ["test/fixtures/mapWriter.ts"],
    outfile: script,
    bundle: true,
    platform: "node",
    mainFields: ["module", "main"],
  });
  const write = (times: number) =>
    spawn(process.execPath, [script, map, `${hosts}`, `${times}`], {
      stdio: ["ignore", "pipe", "inherit"],
    });
  for (let kill = 0; kill < 6; kill++) {
    const writer = write(1_000_000);
    const ended = once(writer, "exit");
    try {
      await once(writer.stdout, "data");
      // at any moment, and right where there are two files
      if (kill % 2 === 0) await sleep(Math.random() * 60);
      else await until(async () => (await leftovers(folder)).some((name) => name.startsWith(".")));
    } finally {
      writer.kill("SIGKILL");
    }
    await ended;
    const nodes = parseMap(await readFile(map, "utf8"), map);
    expect(nodes).toHaveLength(hosts);
    expect(new Set(nodes.map(({ name }) => name.split("-")[0])).size).toBe(1);
    // of this one alone: those before it were cleared away
    expect((await leftovers(folder)).length).toBeLessThanOrEqual(3);
  }
  await once(write(1), "exit");
  expect(await leftovers(folder)).toEqual([]);
});

test("two overlords that list each other are asked once each", async () => {
  const home = join(fleet.root, "back");
  const below = await fleet.connection("mid1");
  const { token } = await below.request("certmaster/createToken", {
    nameGlob: "back",
    addresses: ["127.0.0.1"],
  });
  await mkdir(home, { mode: 0o700 });
  const funcd = {
    name: "back",
    listen: { host: "127.0.0.1", port: 0 },
    announce: "127.0.0.1",
    sub_overlord: { home: fleet.dataOf(TOP) },
  };
  await writeFile(join(home, "minion.yaml"), JSON.stringify(funcd));
  await writeFile(join(home, "join-token"), token, { mode: 0o600 });
  const back = startFuncd({
    execPath: process.execPath,
    funcdScript: join(fleet.root, "funcd.js"),
    homes: [home],
    names: ["back"],
  });
  try {
    await back.serving(AbortSignal.timeout(30_000));
    const top = await build();
    expect(top.problems.map(({ path, outcome }) => [path.join("/"), outcome])).toEqual([
      ["mid1/back", "cycle"],
    ]);
    expect(await mapFile()).toBe(fleet.mapText().replace("mid1:\n", "mid1:\n    back: {}\n"));

    const { problems } = await below.request("map/build", {});
    expect(problems.map(({ path, outcome }) => [path.join("/"), outcome])).toEqual([
      ["back/mid1", "cycle"],
    ]);
    const { nodes } = await below.request("map/read", {});
    expect(nodes.map(({ name }) => name)).toEqual(["back", "leaf1", "leaf2"]);
    expect(nodes[0]?.children.map(({ name, children }) => [name, children.length])).toEqual([
      ["mid1", 0],
      ["mid2", 2],
      ["web1", 0],
    ]);
  } finally {
    await back.close();
  }
});

test("an overlord with a schedule builds its map by itself", async () => {
  await until(async () => (await readdir(fleet.dataOf("mid2"))).includes("map.scheduled"));
  expect(await mapFile("mid2")).toBe("---\nleaf3: {}\nleaf4: {}\n");
  const { records } = await (await fleet.connection("mid2")).request("audit/read", { limit: 100 });
  expect(records.map(({ fields }) => fields)).toContainEqual(
    expect.objectContaining({ event: "map/build", hosts: 2, onlyAlive: false }),
  );
});

test("a host that was taken from its sub-overlord is missed no more once the map was built", async () => {
  const below = await fleet.connection("mid1");
  await below.request("minions/forget", { names: ["leaf2"] });
  const before = await fleet.func(["map", "check"]);
  expect(before.stdout).toMatch(/map is right\./);
  expect((await build()).removed).toEqual([["mid1", "leaf2"]]);
  expect((await fleet.func(["map", "check"])).stdout).toMatch(/map is right\./);
  expect(await readFile(join(fleet.dataOf(TOP), "map.identities.yaml"), "utf8")).toMatch(
    /"leaf2"\],"key":"[0-9a-f]{64}".*"gone_since":/,
  );
});

test("keys on record that were damaged are learnt anew, and it is said", async () => {
  const file = join(fleet.dataOf(TOP), "map.identities.yaml");
  const text = await readFile(file, "utf8");
  await writeFile(file, text.slice(0, -10));
  const { stderr } = await fleet.func(["build-map"]);
  expect(stderr).toMatch(/warning: .*map\.identities\.yaml:\d+: .* learnt anew/);
  expect(await readFile(`${file}.damaged`, "utf8")).toBe(text.slice(0, -10));
  expect((await build()).warning).toBeUndefined();
});
