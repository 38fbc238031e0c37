import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OverlordAbove } from "../fixtures/overlordAbove";
import { startTreeFleet, type TreeFleet } from "../fixtures/treeFleet";

const LIMIT_MS = 240_000;

let fleet: TreeFleet;
let top: OverlordAbove;

beforeAll(async () => {
  fleet = await startTreeFleet({ tiers: [1, 1, 2] });
  top = await OverlordAbove.of(fleet.dataOf(), "above", fleet.record("mid1"));
}, LIMIT_MS);

afterAll(async () => {
  top.close();
  await fleet.close();
}, LIMIT_MS);

const paths = [["mid2", "leaf1"], ["mid2", "leaf2"], ["mid2"]];

describe("a call over two sub-overlords", { timeout: LIMIT_MS }, () => {
  it("comes back with the way of each result, signed by its host", async () => {
    const id = await started("ping", "test.ping");
    const results = [...(await top.results(id)).values()];
    expect(results.map(({ minion, value, via = [] }) => [minion, value, ...via]).sort()).toEqual([
      ["leaf1", 1, "mid2"],
      ["leaf2", 1, "mid2"],
      ["mid2", 1],
    ]);
    for (const { callId, receipt } of results) expect(receipt?.callId).toBe(callId);
  });

  it("tells what runs and what it writes there, and is cancelled there", async () => {
    const args = ["echo begun; sleep 600"];
    const id = await started("long", "command.run", args, true);
    const callId = "long/mid2/leaf1";
    for (let cursor = "", state = ""; state !== "running";) {
      const progress = await top.collect(id, cursor);
      cursor = progress.cursor;
      state = progress.results.find((result) => result.callId === callId)?.state ?? state;
    }
    const read = [id, callId, "stdout", 0, 100, 20];
    const begun = [new Uint8Array(Buffer.from("begun\n")), 6, false];
    expect(await top.call("delegation.read_output", read)).toEqual(begun);
    expect(await top.call("delegation.cancel", [id])).toBe(true);
    const states = [...(await top.results(id)).values()].map(({ state }) => state);
    expect(states).toEqual(["cancelled", "cancelled", "cancelled"]);
  });

  it("gives an original overlord what it asks for, large results and those of the dead too", async () => {
    const args = ["head -c 200000 /dev/zero | tr '\\0' y"];
    const [ping, large] = await top.python([
      ["delegation.run", ["test", "ping", [], paths, false, 10]],
      ["delegation.run", ["command", "run", args, [["mid2", "leaf1"]], true, 10, 60]],
    ]);
    expect(ping).toEqual({ ok: { leaf1: 1, leaf2: 1, mid2: 1 } });
    expect(large).toEqual({ ok: { leaf1: [0, "y".repeat(200_000), ""] } });
    await fleet.killHost("mid2");
    const [dead] = await top.python([["delegation.run", ["test", "ping", [], paths, false, 10]]]);
    const error = ["REMOTE_ERROR", "socket.error", expect.stringContaining("mid2"), ""];
    expect(dead).toEqual({ ok: { leaf1: error, leaf2: error, mid2: error } });
    await fleet.startMinions("mid2");
  });
});

describe("a map that names who is not there", { timeout: LIMIT_MS }, () => {
  it("costs those their call, and nobody else", async () => {
    await fleet.writeMap("mid1:\n    leaf9: {}\n    mid2:\n        leaf1: {}\n        leaf8: {}\n");
    const call = { spec: "leaf*", module: "test", method: "ping", delegate: true };
    const results = await fleet.call(call);
    expect([...results].map(([name, { state, via }]) => [name, state, via]).sort()).toEqual([
      ["leaf1", "succeeded", ["mid1", "mid2"]],
      ["leaf8", "unreachable", ["mid1", "mid2"]],
      ["leaf9", "unreachable", ["mid1"]],
    ]);
    expect(results.get("leaf9")?.error?.message).toBe(
      "leaf9 is not among the minions of mid1, which was to call it.",
    );
    expect(results.get("leaf8")?.error?.message).toContain("the minions of mid2, which");
  });
});

async function started(job: string, method: string, args: string[] = [], isAsync = false) {
  const id = await top.start({ job, method, args, async: isAsync, paths });
  if (typeof id !== "string") throw new Error(JSON.stringify(id));
  return id;
}
