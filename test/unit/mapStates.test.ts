import { describe, expect, it } from "vitest";
import { MapStates } from "../../server/delegation/mapStates";
import { Job } from "../../server/jobs/job";
import type { MinionResult } from "../../server/protocol/jobs";
import type { MinionRecord } from "../../server/protocol/minions";

const own: MinionRecord = {
  name: "mid1",
  address: "10.0.0.1",
  port: 51234,
  state: "online",
  lastSeenMs: 7,
  enrolledAtMs: 0,
  keyFingerprint: "",
  certificateSerial: "",
  certificateNotAfterMs: 0,
};

function result(minion: string, more: Partial<MinionResult>): MinionResult {
  return { minion, state: "succeeded", via: ["mid1"], ...more };
}

function jobOn(...minions: string[]): Job {
  const job = new Job({
    id: "j1",
    spec: "*",
    module: "test",
    method: "ping",
    argsText: "",
    async: false,
    minions: minions.map((name) => ({ name })),
  });
  return job;
}

describe("MapStates", () => {
  it("tells of this overlord's own minions and of those behind them that were seen", () => {
    const states = new MapStates();
    states.take(result("leaf1", {}), 100);
    states.take(
      result("leaf2", {
        state: "unreachable",
        error: { type: "socket.error", message: "leaf2 refused", trace: "" },
      }),
      200,
    );
    expect(states.list([own], [])).toEqual([
      { path: ["mid1"], state: "online", lastSeenMs: 7, running: 0 },
      { path: ["mid1", "leaf1"], state: "online", lastSeenMs: 100, running: 0 },
      { path: ["mid1", "leaf2"], state: "unreachable", problem: "leaf2 refused", running: 0 },
    ]);
  });

  it("keeps when a host was last seen while it is away", () => {
    const states = new MapStates();
    states.take(result("leaf1", {}), 100);
    states.take(result("leaf1", { state: "unreachable" }), 200);
    expect(states.list([], [])).toEqual([
      { path: ["mid1", "leaf1"], state: "unreachable", lastSeenMs: 100, running: 0 },
    ]);
  });

  it("has seen the overlords that an answer came through, and takes a name without its overlord", () => {
    const states = new MapStates();
    states.take(result("web1@mid3", { via: ["mid1", "mid3"] }), 100);
    expect(states.list([], []).map(({ path }) => path)).toEqual([
      ["mid1", "mid3", "web1"],
      ["mid1", "mid3"],
    ]);
    states.take(result("web1@mid1/mid3", { via: ["mid1", "mid3"] }), 200);
    expect(states.list([], [])).toHaveLength(2);
  });

  it("learns nothing from calls that came to no host, nor of a failure on the way", () => {
    const states = new MapStates();
    for (const state of ["queued", "sent", "lost", "skipped", "cancelled"] as const) {
      states.take(result("leaf1", { state }), 100);
    }
    states.take(result("leaf1", { state: "failed" }), 100);
    expect(states.list([], [])).toEqual([]);
    states.take(result("leaf1", { state: "failed", signed: "yes" }), 100);
    expect(states.list([], [])[0]?.state).toBe("online");
  });

  it("counts running jobs on a host and on those above it", () => {
    const states = new MapStates();
    const job = jobOn("leaf1", "leaf2");
    job.update("leaf1", { state: "running", via: ["mid1"] });
    expect(states.list([own], [job])).toEqual([
      { path: ["mid1"], state: "online", lastSeenMs: 7, running: 1 },
      { path: ["mid1", "leaf1"], state: "unknown", running: 1 },
    ]);
  });

  it("takes what a job's progress shows", async () => {
    const states = new MapStates();
    const job = jobOn("leaf1");
    states.follow(job);
    states.follow(job);
    job.update("leaf1", { state: "succeeded", value: 1, via: ["mid1"] });
    await Promise.resolve();
    expect(states.list([], [])[0]).toMatchObject({ path: ["mid1", "leaf1"], state: "online" });
  });

  it("is bounded: who was heard of longest ago goes", () => {
    const states = new MapStates(2);
    for (const name of ["leaf1", "leaf2", "leaf1", "leaf3"]) states.take(result(name, {}), 1);
    expect(states.list([], []).map(({ path }) => path[1])).toEqual(["leaf1", "leaf3"]);
  });
});
