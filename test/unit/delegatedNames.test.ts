import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { behindToo } from "../../server/delegation/behindToo";
import type { TargetParams } from "../../server/protocol/requests";
import { TargetFolder } from "../fixtures/targetFolder";

const KEYS = { one: "1".repeat(64), other: "2".repeat(64) };
const MAP = "---\nmid1:\n    leaf1: {}\n    Leaf2: {}\n    mid3:\n        leaf3: {}\nmid2: {}\n";

let of: TargetFolder;

beforeEach(async () => {
  of = await TargetFolder.make(KEYS.one);
  await of.own("mid1", "mid2", "node01");
});

afterEach(() => of.remove());

describe("names of hosts in delegated calls", () => {
  it("are found where this overlord's own minion has the name of another one behind it", async () => {
    await of.own("web1");
    await of.map("---\nmid1:\n    web1: {}\n    web2: {}\nweb1: {}\n");
    of.maps.identities.saw(["mid1", "web1"], KEYS.other, true);
    of.maps.identities.saw(["web1"], KEYS.one, true);
    expect(await of.found("web2")).toEqual(["web2 over mid1"]);
    expect(await of.found("web*")).toEqual(["web1", "web1@mid1 over mid1", "web2 over mid1"]);
    expect(await of.found("web1")).toEqual(["web1"]);
    expect(await of.found("web1@mid1")).toEqual(["web1@mid1 over mid1"]);
    const left = await behindToo({ spec: "*" }, of);
    expect(left?.hosts).toBe(2);
  });

  it("have the whole way in their name where the overlords before them have one name too", async () => {
    const tree = (mid: string) => `${mid}:\n    gw:\n        web1: {}\n        ${mid}x: {}\n`;
    await of.map(`---\n${tree("mid1")}${tree("mid2")}`);
    const keys = ["1", "2", "3", "4"].map((digit) => digit.repeat(64));
    const doubled = [
      ["mid1", "gw"],
      ["mid2", "gw"],
      ["mid1", "gw", "web1"],
      ["mid2", "gw", "web1"],
    ];
    doubled.forEach((path, index) => of.maps.identities.saw(path, keys[index] ?? "", true));
    expect(await of.found("web1@mid2/gw;mid1x")).toEqual([
      "mid1x over mid1, gw",
      "web1@mid2/gw over mid2, gw",
    ]);
    expect(await of.found("mid2x@mid2/gw")).toEqual(["mid2x over mid2, gw"]);
    expect(await of.found("web?")).toEqual([
      "web1@mid1/gw over mid1, gw",
      "web1@mid2/gw over mid2, gw",
    ]);
    await expect(of.found("web1@gw")).rejects.toMatchObject({
      message: expect.stringContaining("web1@mid1/gw and web1@mid2/gw") as string,
    });
  });

  it("may be all that a glob means behind one sub-overlord, as where jobs are looked for", async () => {
    await of.map(MAP);
    await of.group("far", "leaf*@mid1, node01");
    expect(await of.found("*@mid1")).toEqual([
      "leaf1 over mid1",
      "leaf2 over mid1",
      "mid3 over mid1",
    ]);
    expect(await of.found("*@mid1/mid3")).toEqual(["leaf3 over mid1, mid3"]);
    expect(await of.found("leaf?@MID3")).toEqual(["leaf3 over mid1, mid3"]);
    expect(await of.found({ spec: "leaf*", exclude: "*@mid3" })).toEqual([
      "leaf1 over mid1",
      "leaf2 over mid1",
    ]);
    expect(await of.found("@far")).toEqual(["node01", "leaf1 over mid1", "leaf2 over mid1"]);
    await expect(of.found("*@mid2")).rejects.toMatchObject({ reason: "no-match" });
    await expect(of.found({ spec: "*@mid1", delegate: false })).rejects.toMatchObject({
      nextStep: expect.stringMatching(/^3 hosts behind .* with --delegate/) as string,
    });
  });

  it("are those of the map, the keys and the minions as they are at each call", async () => {
    await of.map(MAP);
    expect(await of.found("leaf[12]")).toEqual(["leaf1 over mid1", "leaf2 over mid1"]);
    await of.own("leaf1");
    expect(await of.found("leaf[12]")).toEqual(["leaf1", "leaf2 over mid1"]);
    of.maps.identities.saw(["mid1", "leaf1"], KEYS.other, true);
    expect(await of.found("leaf[12]")).toEqual([
      "leaf1",
      "leaf1@mid1 over mid1",
      "leaf2 over mid1",
    ]);
    await of.inventory.forget(["leaf1"]);
    expect(await of.found("leaf[12]")).toEqual(["leaf1 over mid1", "leaf2 over mid1"]);
  });

  it("leave out who has any place behind a sub-overlord that is excluded", async () => {
    await of.map("---\nmid1:\n    web1: {}\n    web2: {}\nmid2:\n    web1: {}\n    node01: {}\n");
    expect(await of.found("web1")).toEqual(["web1 over mid1"]);
    await expect(of.found("*@mid2")).rejects.toMatchObject({ reason: "no-match" });
    expect(await of.found({ spec: "web*;node*", exclude: "*@mid2" })).toEqual(["web2 over mid1"]);
    of.maps.identities.saw(["mid1", "web1"], KEYS.one, true);
    of.maps.identities.saw(["mid2", "web1"], KEYS.other, true);
    of.maps.identities.saw(["mid2", "node01"], KEYS.other, true);
    expect(await of.found({ spec: "web*;node*", exclude: "*@mid2" })).toEqual([
      "node01",
      "web1@mid1 over mid1",
      "web2 over mid1",
    ]);
  });

  it("leave out whose name fits as a whole what is excluded, wherever its @ stands", async () => {
    await of.map(MAP);
    expect(await of.found({ spec: "*", exclude: "leaf[!@2]*" })).toEqual([
      "mid1",
      "mid2",
      "node01",
      "leaf2 over mid1",
      "mid3 over mid1",
    ]);
    await of.map("---\nmid1:\n    gw:\n        web1: {}\nmid2:\n    gw:\n        web1: {}\n");
    ["mid1", "mid2"].forEach((mid, at) => {
      of.maps.identities.saw([mid, "gw"], String(at + 3).repeat(64), true);
      of.maps.identities.saw([mid, "gw", "web1"], String(at + 5).repeat(64), true);
    });
    expect(await of.found({ spec: "web1*", exclude: "web1@mid1*" })).toEqual([
      "web1@mid2/gw over mid2, gw",
    ]);
  });

  it("blame the part that matches nothing, and no other", async () => {
    await of.map(MAP);
    await of.group("some", "leaf*, mid*");
    await expect(of.found("leaf1@mid1;leaf9")).rejects.toMatchObject({
      message: expect.stringMatching(/matching "leaf9"\. Did you mean leaf1/) as string,
    });
    await expect(of.found({ spec: "mid1;@some:leaf1", delegate: false })).rejects.toMatchObject({
      nextStep: expect.stringMatching(/^1 host of @some:leaf1 .* --delegate/) as string,
    });
    expect(await of.found("@some:leaf1")).toEqual(["leaf1 over mid1"]);
  });

  it("are told how to be named where a group has a name of several", async () => {
    await of.map("---\nmid1:\n    web1: {}\nmid2:\n    web1: {}\n");
    of.maps.identities.saw(["mid1", "web1"], KEYS.one, true);
    of.maps.identities.saw(["mid2", "web1"], KEYS.other, true);
    await of.group("far", "mid1, web1\n[near]\nhost = web1@mid2");
    await expect(of.found("@far")).rejects.toMatchObject({
      reason: "conflict",
      message: expect.stringMatching(/^The group "far" .* web1@mid1 and web1@mid2/) as string,
      nextStep: expect.stringContaining("func group remove far web1") as string,
    });
    expect(await of.found("@near")).toEqual(["web1@mid2 over mid2"]);
    for (const spec of ["web1", "@far"]) {
      await expect(of.found({ spec, delegate: false }), spec).rejects.toMatchObject({
        reason: "no-match",
        nextStep: expect.stringMatching(/web1@mid1 or web1@mid2, .* --delegate/) as string,
      });
    }
  });

  it("come with a warning where a glob or group fits hosts that the map has no more", async () => {
    for (const leaf of ["leaf1", "leaf2", "web1"])
      of.maps.identities.saw(["mid1", leaf], leaf, true);
    of.maps.identities.saw(["gone", "leaf7"], "of-no-minion", true);
    await of.maps.identities.save();
    await of.map("---\nmid1:\n    leaf1: {}\n");
    const warned = async (params: TargetParams) => (await of.find(params)).warning;
    expect(await warned({ spec: "*" })).toBe(
      "2 hosts that fit were found behind others, and are not in the map any more (mid1/leaf2, mid1/web1): func map check tells where, func build-map looks for them again.",
    );
    expect(await warned({ spec: "leaf*" })).toMatch(/^1 host that fits .*mid1\/leaf2\)/);
    expect(await warned({ spec: "*", exclude: "leaf*@mid1" })).toMatch(/^1 host .*mid1\/web1\)/);
    expect(await warned({ spec: "leaf1" })).toBeUndefined();
    expect(await warned({ spec: "mid*" })).toBeUndefined();
    await of.map("---\nmid1:\n    leaf1: {}\nmid2:\n    leaf2: {}\n");
    of.maps.identities.saw(["mid2", "leaf2"], "leaf2", true);
    expect(await warned({ spec: "leaf*" })).toBeUndefined();
  });

  it("that match nothing are told of a damaged map", async () => {
    await of.map(MAP);
    await of.found("leaf1");
    await of.map("---\nmid1: [\n");
    await expect(of.found("leaf9")).rejects.toMatchObject({
      message: expect.stringMatching(/"leaf9".* The last good map is in use: .*map:/) as string,
      nextStep: expect.stringContaining("func build-map") as string,
    });
    await of.forgetLastGood();
    await expect(of.found({ spec: "leaf1", delegate: false })).rejects.toMatchObject({
      reason: "no-match",
      message: expect.stringMatching(/Who stands behind .* not known: .*map:/) as string,
      nextStep: expect.stringContaining("func build-map") as string,
    });
  });
});
