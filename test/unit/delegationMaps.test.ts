import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DelegationMaps } from "../../server/delegation/delegationMaps";

let folder: string;
let maps: DelegationMaps;
let told: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "func-maps-"));
  maps = new DelegationMaps(folder);
  told = 0;
  maps.onChanged(() => told++);
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const write = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

test("call paths are found once for each state of the file", async () => {
  write("map", "mid1:\n  leaf1: {}\n");
  const first = await maps.current();
  expect(first.paths.pathTo("leaf1")).toEqual(["mid1", "leaf1"]);
  expect((await maps.current()).paths).toBe(first.paths);
  write("map", "mid10:\n  leaf1: {}\n");
  expect((await maps.current()).paths.pathTo("leaf1")).toEqual(["mid10", "leaf1"]);
});

test("a key that is seen anew makes paths anew", async () => {
  write("map", "a:\n  x: {}\nb:\n  x: {}\n");
  expect((await maps.current()).paths.pathTo("x")).toEqual(["a", "x"]);
  maps.identities.saw(["a", "x"], "1".repeat(64), true);
  maps.identities.saw(["b", "x"], "2".repeat(64), true);
  const { paths } = await maps.current();
  expect(() => paths.pathTo("x")).toThrow(/x@a and x@b/);
});

test("a change by hand is told when it is noticed, damage too, and once", async () => {
  await expect(maps.current()).rejects.toMatchObject({
    reason: "not-found",
    nextStep: "Build one: func build-map.",
  });
  await expect(maps.text("/nowhere/at/all")).rejects.toMatchObject({
    reason: "not-found",
    nextStep: expect.stringContaining("Correct its path") as string,
  });
  expect(told).toBe(0);
  write("map", "a: {}\n");
  await maps.current();
  await maps.current();
  expect(told).toBe(1);
  write("map", "a: {}\nb");
  expect((await maps.current()).problem?.message).toContain("map:2:1");
  expect((await maps.current()).nodes).toHaveLength(1);
  expect(told).toBe(2);
});

test("another file is another map, whose changes are its readers' own", async () => {
  write("map", "a: {}\n");
  const other = write("other", "b: {}\n");
  expect((await maps.current(other)).paths.names()).toEqual(["b"]);
  expect((await maps.current()).paths.names()).toEqual(["a"]);
  write("other", "c: {}\n");
  expect((await maps.current(other)).paths.names()).toEqual(["c"]);
  expect(told).toBe(0);
  await expect(maps.current("other")).rejects.toMatchObject({ reason: "bad-argument" });
});
