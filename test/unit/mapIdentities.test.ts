import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parse } from "yaml";
import { MapIdentities } from "../../server/delegation/mapIdentities";

const KEY = "a".repeat(64);
const OTHER = "b".repeat(64);

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "func-identities-"));
  file = join(folder, "map.identities.yaml");
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function opened(): Promise<MapIdentities> {
  const identities = new MapIdentities(file);
  await identities.load();
  return identities;
}

test("the first key of a path stays until it is replaced on purpose, also for a later process", async () => {
  const identities = await opened();
  expect(identities.saw(["mid1", "Web1"], KEY, true)).toBe("first");
  expect(identities.saw(["MID1", "web1"], KEY, true)).toBe("known");
  expect(identities.saw(["mid1", "web1"], OTHER, true)).toBe("other");
  await identities.save();
  expect(statSync(file).mode & 0o777).toBe(0o600);

  const later = await opened();
  expect(later.keyOf(["mid1", "web1"])).toBe(KEY);
  expect(later.keyOf(["web1"])).toBeUndefined();
  later.replace(["mid1", "web1"], OTHER, false);
  await later.save();
  expect((await opened()).find(["mid1", "web1"])).toMatchObject({ key: OTHER, native: false });
});

test("the file is YAML, and a person may remove a line to learn a key anew", async () => {
  const identities = await opened();
  identities.saw(["a"], KEY, true);
  identities.saw(["b: #1", "c"], OTHER, false);
  await identities.save();
  const text = readFileSync(file, "utf8");
  expect(parse(text)).toMatchObject([
    { path: ["a"], key: KEY, native: true },
    { path: ["b: #1", "c"], key: OTHER, native: false },
  ]);
  writeFileSync(file, text.replace(/.*"b: #1".*\n/, ""));
  const { version } = identities;
  await identities.load();
  expect(identities.version).toBeGreaterThan(version);
  expect(identities.keyOf(["b: #1", "c"])).toBeUndefined();
  expect(identities.keyOf(["a"])).toBe(KEY);
});

test("of a damaged file the whole lines count, the problem names the place, and it is kept aside", async () => {
  const identities = await opened();
  identities.saw(["a"], KEY, true);
  await identities.save();
  writeFileSync(file, `${readFileSync(file, "utf8")}- {"path":["b"],"key":"12\n`);
  const later = await opened();
  expect(later.keyOf(["a"])).toBe(KEY);
  expect(later.problem?.message).toContain(`${file}:4:`);
  later.saw(["c"], OTHER, true);
  await later.save();
  expect(later.problem).toBeUndefined();
  expect(readFileSync(`${file}.damaged`, "utf8")).toContain('"b"');
  expect((await opened()).keyOf(["c"])).toBe(OTHER);
});

test("keys in a file that cannot be read are not learnt anew in its place", async () => {
  const identities = await opened();
  identities.saw(["mid1", "a"], KEY, true);
  await identities.save();
  const aside = `${file}.aside`;
  renameSync(file, aside);
  mkdirSync(file);
  const later = await opened();
  expect(later.problem?.message).toContain("is not a file");
  later.saw(["mid1", "a"], OTHER, true);
  later.saw(["mid1", "b"], KEY, true);
  await expect(later.save()).rejects.toMatchObject({ reason: "unavailable" });
  rmdirSync(file);
  renameSync(aside, file);
  await later.load();
  expect(later.problem).toBeUndefined();
  for (const one of [later, await opened()]) {
    expect(one.keyOf(["mid1", "a"])).toBe(KEY);
    expect(one.keyOf(["mid1", "b"])).toBe(KEY);
  }
});

test("a damaged file stays where it is until there is another", async () => {
  // with what is put before and behind it for writing, this name is too long
  file = join(folder, "m".repeat(245));
  writeFileSync(file, '- {"path":["b"],"key":"12\n');
  const identities = await opened();
  identities.saw(["a"], KEY, true);
  await expect(identities.save()).rejects.toMatchObject({ reason: "unavailable" });
  expect(readFileSync(file, "utf8")).toContain('"b"');
  expect(readFileSync(`${file}.damaged`, "utf8")).toContain('"b"');
});

test("a line that a person removes stays removed, whatever is being learnt", async () => {
  const identities = await opened();
  identities.saw(["mid1", "a"], KEY, true);
  identities.saw(["mid1", "b"], KEY, true);
  await identities.save();
  identities.saw(["mid1", "c"], KEY, true);
  writeFileSync(file, readFileSync(file, "utf8").replace(/.*"b".*\n/, ""));
  await identities.save();
  for (const one of [identities, await opened()]) {
    expect(one.keyOf(["mid1", "b"])).toBeUndefined();
    expect(one.keyOf(["mid1", "a"])).toBe(KEY);
    expect(one.keyOf(["mid1", "c"])).toBe(KEY);
  }
});

test("a file that was cut off until nothing is left is told", async () => {
  writeFileSync(file, "");
  expect((await opened()).problem?.message).toContain("is empty");
});

test("without anything known there is an empty list, and nothing is written unasked", async () => {
  const identities = await opened();
  await identities.save();
  expect(existsSync(file)).toBe(false);
});

test("how many hosts were seen behind one is known, at any depth", async () => {
  const identities = await opened();
  for (const path of [["mid1"], ["mid1", "web1"], ["MID1", "mid2", "db1"], ["mid10", "web1"]]) {
    identities.saw(path, KEY, true);
  }
  expect(identities.seenBehind(["Mid1"]).hosts).toBe(2);
  expect(identities.seenBehind(["mid1", "mid2"]).hosts).toBe(1);
  expect(identities.seenBehind(["web1"]).hosts).toBe(0);
  identities.saw(["web1", "db1"], KEY, true);
  expect(identities.seenBehind(["web1"]).hosts).toBe(1);
});

test("a host that was away when it was first told of counts as ours once it has answered", async () => {
  const identities = await opened();
  identities.saw(["mid1", "web1"], KEY, false);
  const { firstSeenMs } = identities.find(["mid1", "web1"]) ?? {};
  expect(identities.saw(["mid1", "web1"], KEY, true)).toBe("known");
  expect(identities.find(["mid1", "web1"])).toMatchObject({ native: true, firstSeenMs });
  expect(identities.saw(["mid1", "web1"], KEY, false)).toBe("known");
  expect(identities.find(["mid1", "web1"])?.native).toBe(true);
});

test("who asks while the file is being read for the first time waits for it", async () => {
  const before = await opened();
  before.saw(["mid1", "leaf1"], KEY, true);
  await before.save();
  const identities = new MapIdentities(file);
  void identities.load(1_000);
  await identities.load(1_000);
  expect(identities.keyOf(["mid1", "leaf1"])).toBe(KEY);
});

test("who is told of no more counts as gone, keeps its key, and may come back", async () => {
  const identities = await opened();
  const paths = ["mid1", "mid1/web1", "mid1/mid2", "mid1/mid2/db1", "mid3", "mid3/web3"];
  for (const path of paths) identities.saw(path.split("/"), KEY, true);
  const at = Date.UTC(2026, 0, 31);
  const own = { path: [], names: ["MID1", "mid3"], hosts: 2, isWhole: true };
  const mid1 = { path: ["mid1"], names: ["Web1"], hosts: 1, isWhole: true };
  const gone = () =>
    paths.filter((path) => identities.find(path.split("/"))?.goneSinceMs !== undefined);

  identities.told([own, mid1], at);
  expect(gone()).toEqual(["mid1/mid2", "mid1/mid2/db1"]);
  expect(identities.seenBehind(["mid1"])).toMatchObject({ hosts: 1, atMs: at });
  // who was not asked has told nothing
  expect(identities.seenBehind(["mid3"])).toMatchObject({ hosts: 1 });
  await identities.save();

  const later = await opened();
  expect(later.find(["mid1", "mid2"])).toMatchObject({ key: KEY, goneSinceMs: at });
  expect(later.find(["mid1"])).toMatchObject({ told: { hosts: 1, atMs: at } });
  expect(later.saw(["mid1", "mid2"], OTHER, true)).toBe("other");
  expect(later.placesOf("DB1").map(({ path }) => path.join("/"))).toEqual(["mid1/mid2/db1"]);

  identities.told([{ ...mid1, names: ["web1", "mid2"], hosts: 2 }], at + 1);
  // what stands behind it is told by itself
  expect(gone()).toEqual(["mid1/mid2/db1"]);
  identities.told([{ path: ["mid1", "mid2"], names: ["db1"], hosts: 1, isWhole: true }], at + 1);
  expect(gone()).toEqual([]);
  identities.told([{ ...own, names: ["mid1"], hosts: 1 }], at + 2);
  expect(gone()).toEqual(["mid3", "mid3/web3"]);
});

test("a hop of the original says how many stand behind it, and of none that it is gone", async () => {
  const identities = await opened();
  identities.saw(["old"], KEY, false);
  identities.saw(["old", "web1"], KEY, true);
  const telling = { path: ["old"], names: ["x"], hosts: 5, isWhole: false };
  identities.told([telling], Date.UTC(2026, 0, 31));
  expect(identities.seenBehind(["old"])).toMatchObject({ hosts: 5 });
  identities.replace(["old"], OTHER, false);
  expect(identities.seenBehind(["old"]).hosts).toBe(5);
});
