import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MapFile } from "../../server/delegation/mapFile";
import { mergeMaps } from "../../server/delegation/mergeMaps";

let folder: string;
let path: string;
let good: string;
let file: MapFile;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "func-map-"));
  path = join(folder, "map");
  good = join(folder, "map.good");
  file = new MapFile(path, good);
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const leaf = (name: string) => ({ name, children: [] });

test("without a file it is said how to get one", async () => {
  await expect(file.current()).rejects.toMatchObject({
    reason: "not-found",
    nextStep: expect.stringContaining("build-map") as string,
  });
});

test("what is written is read again, with a mode of one's own", async () => {
  await file.edit(() => [{ name: "mid1", children: [leaf("leaf1")] }]);
  expect(readFileSync(path, "utf8")).toBe("---\nmid1:\n    leaf1: {}\n");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect((await file.current()).map).toEqual([{ name: "mid1", children: [leaf("leaf1")] }]);
});

test("an edit by hand counts at once", async () => {
  await file.edit(() => [leaf("a")]);
  await file.current();
  writeFileSync(path, "b: {}\n");
  expect((await file.current()).map).toEqual([leaf("b")]);
});

test("a damaged file leaves the last good map in use, and says so each time until it is mended", async () => {
  await file.edit(() => [leaf("a")]);
  await file.current();
  writeFileSync(path, "a: {}\nb:");
  for (let again = 0; again < 2; again++) {
    const { map, problem } = await file.current();
    expect(map).toEqual([leaf("a")]);
    expect(problem?.message).toContain(`${path}:2:`);
  }
  writeFileSync(path, "c: {}\n");
  const { map, problem } = await file.current();
  expect(map).toEqual([leaf("c")]);
  expect(problem).toBeUndefined();
});

test("so does one that cannot be opened, for a later overlord too, and it counts again once it can", async () => {
  await file.edit(() => [leaf("a")]);
  await file.current();
  rmSync(path);
  mkdirSync(path);
  for (const one of [file, new MapFile(path, good)]) {
    const { map, problem } = await one.current();
    expect(map).toEqual([leaf("a")]);
    expect(problem?.message).toContain("is not a file");
  }
  rmdirSync(path);
  await expect(file.current()).rejects.toMatchObject({ reason: "not-found" });
  writeFileSync(path, "c: {}\n");
  expect(await file.current()).toMatchObject({ map: [leaf("c")] });
});

test("an overlord that starts later has the last good map too", async () => {
  await file.edit(() => [leaf("a")]);
  await file.current();
  writeFileSync(path, "a: {}\nb:");
  const { map, problem } = await new MapFile(path, good).current();
  expect(map).toEqual([leaf("a")]);
  expect(problem?.reason).toBe("bad-data");
});

test("without a last good map the problem is the answer", async () => {
  writeFileSync(path, "- a\n");
  await expect(new MapFile(path).current()).rejects.toMatchObject({ reason: "bad-data" });
});

test("a damaged file is not taken for an empty one by who adds to it", async () => {
  writeFileSync(path, "- a\n");
  const seen: unknown[] = [];
  await file.edit((map) => {
    seen.push(map);
    return [leaf("b")];
  });
  expect(seen).toEqual([undefined]);
});

test("edits at the same time are all in it", async () => {
  const names = Array.from({ length: 40 }, (_, index) => `m${index}`);
  const other = new MapFile(path);
  await Promise.all(
    names.map((name, index) =>
      (index % 2 ? file : other).edit((map) => mergeMaps(map ?? [], [leaf(name)])),
    ),
  );
  expect((await file.current()).map.map(({ name }) => name).sort()).toEqual([...names].sort());
  expect(readdirSync(folder).sort()).toEqual(["map", "map.good"]);
});

test("a folder in its place is no map", async () => {
  await expect(new MapFile(folder).current()).rejects.toMatchObject({ reason: "bad-data" });
});

test("what killed processes left half written goes with the next edit, and nothing else", async () => {
  const before = new Date(performance.timeOrigin - 1_000);
  const old = [".map.0123456789ab.tmp", ".map.good.0123456789ab.tmp"];
  const others = [".map.other", ".inventory.json.0123456789ab.tmp"];
  for (const name of [...old, ...others]) {
    writeFileSync(join(folder, name), "half");
    utimesSync(join(folder, name), before, before);
  }
  const young = ".map.ba9876543210.tmp"; // somebody is just writing it
  writeFileSync(join(folder, young), "half");
  await file.edit(() => [leaf("a")]);
  expect(readdirSync(folder).sort()).toEqual([...others, young, "map"].sort());
});
