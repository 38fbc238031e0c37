import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FuncError } from "../../server/common/errors";
import { silentLog } from "../../server/common/log";
import { behindToo } from "../../server/delegation/behindToo";
import { DelegationMaps } from "../../server/delegation/delegationMaps";
import { explainNoHop } from "../../server/delegation/explainNoHop";
import { findDelegatedTargets } from "../../server/delegation/findDelegatedTargets";
import { hopsCalledToo } from "../../server/delegation/hopsCalledToo";
import { OtherRoutes } from "../../server/delegation/otherRoutes";
import type { TargetParams } from "../../server/protocol/requests";
import { GroupsFile } from "../../server/targets/groupsFile";
import { Inventory } from "../../server/targets/inventory";

const KEYS = { one: "1".repeat(64), other: "2".repeat(64) };
const MAP = "---\nmid1:\n    leaf1: {}\n    Leaf2: {}\n    mid3:\n        leaf3: {}\nmid2: {}\n";

let folder: string;
let inventory: Inventory;
let maps: DelegationMaps;
let groups: GroupsFile;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "func-targets-"));
  inventory = await Inventory.open(join(folder, "inventory.json"), silentLog);
  maps = new DelegationMaps(folder);
  groups = new GroupsFile(join(folder, "groups"));
  await own("mid1", "mid2", "node01");
});

afterEach(async () => {
  await inventory.close();
  await rm(folder, { recursive: true });
});

async function own(...names: string[]): Promise<void> {
  for (const name of names) {
    await inventory.add({
      name,
      address: "192.0.2.1",
      port: 51_234,
      state: "unknown",
      enrolledAtMs: 0,
      keyFingerprint: KEYS.one,
      certificateSerial: "",
      certificateNotAfterMs: 0,
    });
  }
}

async function map(text: string): Promise<void> {
  await writeFile(join(folder, "map"), text);
}

async function found(params: string | TargetParams): Promise<string[]> {
  const targets = typeof params === "string" ? { spec: params } : params;
  const sources = { inventory, groups, maps };
  const { minions, behind } = await findDelegatedTargets({ delegate: true, ...targets }, sources);
  const named = behind.map(({ name, path }) => `${name} over ${path.slice(0, -1).join(", ")}`);
  return [...minions.map(({ name }) => name), ...named];
}

describe("targets of a delegated call", () => {
  it("are own minions and those behind them, by the same rules", async () => {
    await map(MAP);
    await writeFile(join(folder, "groups"), "[far]\nhost = leaf2;node01\n");
    expect(await found("*")).toEqual([
      "mid1",
      "mid2",
      "node01",
      "leaf1 over mid1",
      "leaf2 over mid1",
      "leaf3 over mid1, mid3",
      "mid3 over mid1",
    ]);
    expect(await found("leaf1;LEAF3;node01")).toEqual([
      "node01",
      "leaf1 over mid1",
      "leaf3 over mid1, mid3",
    ]);
    expect(await found("@far")).toEqual(["node01", "leaf2 over mid1"]);
    expect(await found("@far:l*")).toEqual(["leaf2 over mid1"]);
    expect(await found({ spec: "*", exclude: "mid*;leaf[12]" })).toEqual([
      "node01",
      "leaf3 over mid1, mid3",
    ]);
    expect(await found({ spec: "*", delegate: false })).toEqual(["mid1", "mid2", "node01"]);
  });

  it("are an error with the nearest names where one is nowhere, and without a map", async () => {
    await expect(found("leaf1")).rejects.toMatchObject({ nextStep: "Build one: func build-map." });
    await map(MAP);
    await expect(found("leaf1;leaf9")).rejects.toMatchObject({
      reason: "no-match",
      message: expect.stringMatching(/"leaf9".*leaf1/) as string,
    });
    await expect(found({ spec: "*", exclude: "leaf9" })).rejects.toMatchObject({
      reason: "no-match",
    });
  });

  it("may be named with the one before them where the name alone would do, too", async () => {
    await map(MAP);
    expect(await found("leaf1@mid1;LEAF3@mid3")).toEqual([
      "leaf1 over mid1",
      "leaf3 over mid1, mid3",
    ]);
    await expect(found("leaf1@mid2")).rejects.toMatchObject({ reason: "no-match" });
  });

  it("are told where they stand when another sub-overlord was named", async () => {
    await map(MAP);
    for (const delegate of [true, false]) {
      await expect(found({ spec: "leaf1@mid2", delegate })).rejects.toMatchObject({
        message: 'Can\'t find any minions matching "leaf1@mid2": leaf1 stands behind mid1.',
        nextStep: "Call it as leaf1, with --delegate.",
      });
    }
    await expect(found("node01@mid2")).rejects.toMatchObject({ nextStep: "Call it as node01." });
  });

  it("are told where a path to a sub-overlord begins with one of them", async () => {
    const told = async (...path: string[]) =>
      (await explainNoHop(path, { inventory, maps }))?.nextStep;
    expect(await told("leaf1")).toBeUndefined();
    await map(MAP);
    expect(await told("leaf1")).toBe("The sub-overlord that it belongs to: --at mid1");
    expect(await told("mid3", "x")).toBe("Name the whole path: --at mid1/mid3/x");
    expect(await told("mid1")).toBeUndefined();
    expect(await told("nobody")).toBeUndefined();
  });

  it("are counted where a glob or a group fits them too, and nobody asked for delegation", async () => {
    const left = (params: TargetParams) => behindToo(params, { inventory, groups, maps });
    expect(await left({ spec: "*" })).toBeUndefined();
    await map(MAP);
    await writeFile(join(folder, "groups"), "[far]\nhost = leaf*;node01\n");
    expect(await left({ spec: "*" })).toEqual({ hosts: 4, hops: ["mid1"], moreHops: 0 });
    expect((await left({ spec: "*", exclude: "leaf1;leaf3" }))?.hosts).toBe(2);
    expect((await left({ spec: "@far" }))?.hosts).toBe(3);
    expect((await left({ spec: "@far:LEAF2" }))?.hosts).toBe(1);
    expect(await left({ spec: "mid1;mid2" })).toBeUndefined();
    expect(await left({ spec: "node*" })).toBeUndefined();
    expect(await left({ spec: "*", delegate: true })).toBeUndefined();
    await own("leaf1");
    expect((await left({ spec: "*" }))?.hosts).toBe(3);
  });

  it("are pointed out where the map has them, and nobody asked for delegation", async () => {
    await map(MAP);
    await expect(found({ spec: "leaf3", delegate: false })).rejects.toMatchObject({
      reason: "no-match",
      nextStep: expect.stringContaining("leaf3 stands behind mid3") as string,
    });
    await writeFile(join(folder, "groups"), "[far]\nhost = leaf2;leaf3;node01\n");
    const steps = {
      "leaf*": "3 hosts behind",
      "node01;mid3*": "1 host behind",
      "@far": "2 hosts of",
    };
    for (const [spec, step] of Object.entries(steps)) {
      await expect(found({ spec, delegate: false }), spec).rejects.toMatchObject({
        reason: "no-match",
        nextStep: expect.stringMatching(`^${step}.* with --delegate`) as string,
      });
    }
    await expect(found({ spec: "*", exclude: "leaf1", delegate: false })).rejects.toMatchObject({
      nextStep: expect.stringContaining("leaf1 stands behind mid1") as string,
    });
    await expect(found({ spec: "nobody*", delegate: false })).rejects.toMatchObject({
      nextStep: "List the minions to see their names.",
    });
  });

  it("that the map has lost are told as such, from the keys on record", async () => {
    const at = Date.UTC(2026, 0, 31, 12);
    const mid = (name: string, ...names: string[]) => {
      for (const leaf of names) maps.identities.saw([name, leaf], KEYS.one, true);
      maps.identities.saw([name], KEYS.one, true);
      return { path: [name], names, hosts: names.length, isWhole: true };
    };
    const tellings = [mid("mid1", "leaf1", "leaf2", "old1"), mid("mid2", "web1", "web2")];
    maps.identities.told(tellings, at);
    maps.identities.told([{ ...mid("mid1"), names: ["leaf1", "leaf2"] }], at);
    await maps.identities.save();
    await map("---\nmid1:\n    leaf1: {}\nmid2: {}\n");
    const problem = (spec: string, delegate = true) =>
      found({ spec, delegate }).then(
        () => "found",
        (error: unknown) => {
          const { message, nextStep = "" } = error as FuncError;
          return `${message} ${nextStep}`;
        },
      );
    const none = "Can't find any minions matching";
    const on = "on 2026-01-31 12:00 UTC";
    const build = (hop: string) => `Once ${hop} answers, build the map again: func build-map.`;
    expect(await problem("leaf1;web1")).toBe(
      `${none} "web1": it was seen behind mid2, last ${on}, which stands in the map without hosts. ${build("mid2")}`,
    );
    expect(await problem("Leaf2", false)).toBe(
      `${none} "Leaf2": it was seen behind mid1, last ${on}, and is not in the map. ${build("mid1")} Then call it with --delegate.`,
    );
    expect(await problem("old1")).toBe(
      `${none} "old1": it stood behind mid1, which told ${on} that it does no more. Where it is back: func build-map.`,
    );
    const own = { path: [], names: ["mid2"], hosts: 1, isWhole: true };
    maps.identities.told([own], at);
    await maps.identities.save();
    expect(await problem("leaf2")).toBe(
      `${none} "leaf2": it stood behind mid1, and mid1 is no minion of this overlord any more, since 2026-01-31 12:00 UTC or before. Where it is back: func build-map.`,
    );
    expect(await problem("web*")).toBe(
      `${none} "web*". In the map mid2 (2 were seen behind it, last ${on}) stands without hosts. ${build("mid2")}`,
    );
    expect(await problem("web*", false)).toContain("List the minions");
  });

  it("are called directly where they are this overlord's own, too", async () => {
    await own("leaf1");
    await map(MAP);
    expect(await found("leaf*")).toEqual(["leaf1", "leaf2 over mid1", "leaf3 over mid1, mid3"]);
  });

  it("have the overlord before them in their name where that means several hosts", async () => {
    await map("---\nmid1:\n    web1: {}\nmid2:\n    web1: {}\n");
    maps.identities.saw(["mid1", "web1"], KEYS.one, true);
    maps.identities.saw(["mid2", "web1"], KEYS.other, true);
    expect(await found("web1@mid2")).toEqual(["web1@mid2 over mid2"]);
    expect(await found("web*")).toEqual(["web1@mid1 over mid1", "web1@mid2 over mid2"]);
    await expect(found("web1")).rejects.toMatchObject({
      reason: "conflict",
      message: expect.stringMatching(/web1@mid1 and web1@mid2/) as string,
    });
    await own("web1");
    expect(await found("web1*")).toEqual(["web1", "web1@mid2 over mid2"]);
  });

  it("come from the last good map, with a warning, where the file is damaged", async () => {
    await map(MAP);
    await found("leaf1");
    await map("---\nmid1: [\n");
    const sources = { inventory, groups, maps };
    const { behind, warning } = await findDelegatedTargets(
      { spec: "leaf1", delegate: true },
      sources,
    );
    expect(behind.map(({ path }) => path)).toEqual([["mid1", "leaf1"]]);
    expect(warning).toContain(join(folder, "map"));
  });
});

describe("ways around a hop", () => {
  const behind = (...path: string[]) => ({ name: path.at(-1) ?? "", path });

  it("are found in the map, and need an own minion and the same host", async () => {
    await map(
      "---\nmid1:\n    web1: {}\nmid2:\n    mid1:\n        web1: {}\n    mid4:\n        web1: {}\ngone:\n    web1: {}\n",
    );
    const routes = new OtherRoutes(maps, inventory, undefined);
    const web1 = behind("mid1", "web1");
    const other = await routes.without(new Set(["mid1"]), web1);
    expect(other?.path).toEqual(["mid2", "mid4", "web1"]);
    expect(await routes.without(new Set(["mid1", "mid4"]), web1)).toBeUndefined();
    maps.identities.saw(["mid2", "mid4", "web1"], KEYS.other, true);
    const known = { ...web1, identity: KEYS.one };
    const later = new OtherRoutes(maps, inventory, undefined);
    expect(await later.without(new Set(["mid1"]), known)).toBeUndefined();
  });

  it("lead to the host that is known there, rather than to one that showed no key yet", async () => {
    await own("mid3", "mid5");
    const far = "mid3:\n    mid4:\n        web1: {}\nmid5:\n    web1: {}\n";
    await map(`---\nmid1:\n    web1: {}\nmid2:\n    web1: {}\n${far}`);
    await maps.current();
    maps.identities.saw(["mid3", "mid4", "web1"], KEYS.one, true);
    maps.identities.saw(["mid5", "web1"], KEYS.other, true);
    const routes = new OtherRoutes(maps, inventory, undefined);
    const web1 = { ...behind("mid1", "web1"), identity: KEYS.one };
    const other = await routes.without(new Set(["mid1"]), web1);
    expect(other?.path).toEqual(["mid3", "mid4", "web1"]);
  });

  it("are none without a map", async () => {
    const routes = new OtherRoutes(maps, inventory, undefined);
    expect(await routes.without(new Set(["mid1"]), behind("mid1", "web1"))).toBeUndefined();
  });
});

it("hops that are called themselves are told, at any depth", () => {
  const leaf = { name: "leaf3", path: ["mid1", "mid3", "leaf3"] };
  const hop = { name: "mid3", path: ["mid1", "mid3"] };
  expect(hopsCalledToo([], [leaf])).toEqual([]);
  expect(hopsCalledToo([], [leaf, hop])).toEqual(["mid1"]);
  expect(hopsCalledToo([{ name: "mid1" }], [leaf])).toEqual(["mid1"]);
});
