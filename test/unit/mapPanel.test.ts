import { describe, expect, it, vi } from "vitest";
import { HostStates } from "../../extension/webviews/hostStates";
import { MapIndex } from "../../extension/webviews/mapIndex";
import { parseFromMap } from "../../extension/webviews/parseFromMap";
import type { DelegationMapNode } from "../../server/protocol/delegation";
import type { MinionRecord } from "../../server/protocol/minions";

vi.mock("vscode", () => import("../fixtures/vscodeStub"));

function node(name: string, ...children: DelegationMapNode[]): DelegationMapNode {
  return { name, children };
}

const NODES = [
  node("mid1", node("web1"), node("mid3", node("deep"))),
  node("mid2", node("web1"), node("db1")),
  node("own"),
];

function record(name: string, more: Partial<MinionRecord> = {}): MinionRecord {
  return {
    name,
    address: "10.0.0.1",
    port: 51234,
    state: "online",
    enrolledAtMs: 0,
    keyFingerprint: "",
    certificateSerial: "",
    certificateNotAfterMs: 5_000,
    ...more,
  };
}

describe("MapIndex", () => {
  it("has those above before those behind, and finds them by path", () => {
    const index = new MapIndex("top", NODES);
    expect(index.names[0]).toBe("top");
    index.parents.forEach((parent, place) => expect(parent).toBeLessThan(place));
    const deep = index.find(["mid1", "mid3", "deep"]) ?? -1;
    expect(index.pathOf(deep)).toEqual(["mid1", "mid3", "deep"]);
    expect(index.find(["mid1", "db1"])).toBeUndefined();
  });

  it("finds the host of a result by its way, by its overlord's name, or by its own", () => {
    const index = new MapIndex("top", NODES);
    const path = (minion: string, via?: string[]): string[] =>
      index.pathOf(index.placeOf({ minion, via }) ?? -1);
    expect(path("web1", ["mid2"])).toEqual(["mid2", "web1"]);
    expect(path("web1@mid2", ["mid2"])).toEqual(["mid2", "web1"]);
    expect(path("web1@mid2")).toEqual(["mid2", "web1"]);
    expect(path("deep")).toEqual(["mid1", "mid3", "deep"]);
    expect(path("own")).toEqual(["own"]);
    expect(index.placeOf({ minion: "gone" })).toBeUndefined();
  });
});

describe("HostStates", () => {
  it("believes whoever heard of a host last, and tells each change once", () => {
    const index = new MapIndex("top", NODES);
    const states = new HostStates(index);
    const web1 = index.find(["mid1", "web1"]) ?? -1;
    states.takeSeen([
      { path: ["mid1", "web1"], state: "unreachable", problem: "away", lastSeenMs: 10, running: 2 },
    ]);
    expect(states.news()).toEqual([
      { place: web1, kind: "unreachable", problem: "away", lastSeenMs: 10, running: 2 },
    ]);
    expect(states.news()).toEqual([]);
    states.takeRecords(["mid1"], [record("web1", { lastSeenMs: 20 }), record("gone")]);
    expect(states.news()).toEqual([
      { place: web1, kind: "online", lastSeenMs: 20, certificateEndMs: 5_000, running: 2 },
    ]);
    expect(states.news()).toEqual([]);
  });
});

describe("messages of the map's webview", () => {
  it("are taken as they should be", () => {
    expect(parseFromMap({ type: "refresh", more: 1 })).toEqual({ type: "refresh" });
    const act = { type: "act", action: "ping", path: ["mid1", "web1"] };
    expect(parseFromMap(act)).toEqual(act);
    expect(parseFromMap({ type: "selected", path: ["mid1"] })).toEqual({
      type: "selected",
      path: ["mid1"],
    });
  });

  it.each([
    undefined,
    "ready",
    { type: "other" },
    { type: "act", action: "ping", path: [] },
    { type: "act", action: "ping", path: ["x".repeat(600)] },
    { type: "act", action: "ping", path: Array.from({ length: 65 }, () => "x") },
    { type: "act", action: "delete", path: ["x"] },
    { type: "act", action: "constructor", path: ["x"] },
    { type: "selected", path: "x" },
    { type: "selected", path: [1] },
  ])("are refused: %j", (message) => {
    expect(parseFromMap(message)).toBeUndefined();
  });
});
