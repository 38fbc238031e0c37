import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { remoteError } from "../../server/wire/remoteError";
import { RpcFault } from "../../server/wire/rpcFault";
import { connect, until } from "../fixtures/overlordBundle";
import { answer, hang, TestFleet } from "../fixtures/testFleet";
import { startTestMinion } from "../fixtures/testMinion";

const NAMES = ["node1", "node2", "node3"];

let fleet: TestFleet;

beforeAll(async () => {
  fleet = await TestFleet.start(NAMES);
});

afterAll(async () => {
  await fleet.close();
});

beforeEach(() => {
  fleet.reset();
});

describe("a call", () => {
  it("brings every minion's result, as it comes and in the job", async () => {
    const value = {
      text: "täxt <&>",
      list: [1, 2.5, true, null],
      big: { $int: "9007199254740993" },
    };
    const job = await fleet.call({ args: [value] });
    expect(job.summary).toMatchObject({
      finished: true,
      code: 1,
      total: 3,
      counts: { succeeded: 3 },
    });
    expect(job.results).toMatchObject(
      NAMES.map((name) => ({ minion: name, state: "succeeded", value })),
    );
    expect(fleet.seen.map(({ seq }) => seq)).toEqual(fleet.seen.map((_, index) => index + 1));
    expect(fleet.seen.at(-1)?.seq).toBe(job.seq);
    const status = await fleet.connection.request("jobs/status", { jobId: job.summary.id });
    expect(status).toEqual({
      code: 1,
      results: Object.fromEntries(NAMES.map((name) => [name, value])),
    });
    const records = await fleet.connection.request("minions/list", {});
    expect(records.map(({ name, state }) => [name, state])).toEqual(
      NAMES.map((name) => [name, "online"]),
    );
  });

  it("tells each kind of failure apart, and never loses a minion", async () => {
    fleet.minion("node1").handle = () =>
      Promise.resolve(remoteError("exceptions.TypeError", "bad", "trace"));
    fleet.minion("node2").handle = () =>
      Promise.reject(new RpcFault(1, "<class 'func.minion.codes.AccessToMethodDenied'>:"));
    fleet.minion("node3").handle = () => Promise.reject(new RpcFault(7, "other"));
    const job = await fleet.call({});
    expect(job.results).toMatchObject([
      { state: "failed", error: { type: "exceptions.TypeError", message: "bad", trace: "trace" } },
      { state: "denied", error: { type: "xmlrpclib.Fault" } },
      { state: "failed", error: { type: "xmlrpclib.Fault" } },
    ]);
    const { results } = await fleet.connection.request("jobs/status", { jobId: job.summary.id });
    expect(results?.node1).toEqual(["REMOTE_ERROR", "exceptions.TypeError", "bad", "trace"]);
  });

  it("reports who cannot be reached, in the inventory too", async () => {
    const { port } = fleet.minion("node2");
    await fleet.connection.request("minions/edit", { name: "node2", port: 1 });
    const job = await fleet.call({ args: [1] });
    expect(job.results).toMatchObject([
      { state: "succeeded" },
      { state: "unreachable", error: { type: "socket.error" } },
      { state: "succeeded" },
    ]);
    const [, record] = await fleet.connection.request("minions/list", {});
    expect(record).toMatchObject({ state: "unreachable", port: 1 });
    expect(record?.problem).toContain("node2");
    // the address of another minion is not this minion
    await fleet.connection.request("minions/edit", {
      name: "node2",
      port: fleet.minion("node1").port,
    });
    expect((await fleet.call({ spec: "node2" })).results[0]).toMatchObject({
      state: "unreachable",
    });
    await fleet.connection.request("minions/edit", { name: "node2", port });
    expect((await fleet.call({ spec: "node2", args: [1] })).results[0]).toMatchObject({
      state: "succeeded",
    });
  });

  it("ends a silent minion by its limit alone", async () => {
    fleet.minion("node1").handle = hang;
    const job = await fleet.call({ args: [1], timeoutMs: 300 });
    expect(job.results).toMatchObject([
      { state: "timed-out", error: { type: "socket.timeout" } },
      { state: "succeeded" },
      { state: "succeeded" },
    ]);
    expect(job.results[0]?.error?.message).toContain("may have run");
  });

  it("is cancelled at once, and the minion is told by the call's id", async () => {
    fleet.reset((request) =>
      request.method === "jobs.cancel" ? Promise.resolve(true) : hang(request),
    );
    const { id } = await fleet.start({ nforks: 2 });
    await until(
      () => fleet.minion("node1").calls.length + fleet.minion("node2").calls.length === 2,
    );
    const summary = await fleet.connection.request("jobs/cancel", { jobId: id });
    expect(summary.cancelRequested).toBe(true);
    const job = await fleet.ended(id);
    expect(job.summary.counts).toEqual({ cancelled: 3 });
    expect(fleet.minion("node3").calls).toEqual([]);
    const { calls } = fleet.minion("node1");
    await until(() => calls.length === 2);
    expect(calls[1]).toMatchObject({ method: "jobs.cancel", params: [calls[0]?.callId] });
  });

  it("leaves a large value to be asked for", async () => {
    const value = "x".repeat(50_000);
    const job = await fleet.call({ spec: "node1", args: [value] });
    expect(job.results[0]).toMatchObject({ state: "succeeded", valueBytes: 50_002 });
    expect(job.results[0]).not.toHaveProperty("value");
    const jobId = job.summary.id;
    const result = await fleet.connection.request("jobs/result", { jobId, minion: "node1" });
    expect(result.value).toBe(value);
  });

  it("is refused before anything is sent where it is wrong", async () => {
    await expect(fleet.start({ spec: "node9" })).rejects.toMatchObject({
      reason: "no-match",
      message: expect.stringContaining("Did you mean node1") as string,
    });
    await expect(fleet.start({ spec: " ; " })).rejects.toMatchObject({ reason: "bad-argument" });
    await expect(fleet.start({ nforks: 0 })).rejects.toMatchObject({
      reason: "bad-argument",
      message: expect.stringContaining('"nforks"') as string,
    });
    await expect(fleet.connection.request("jobs/watch", { jobId: "x" })).rejects.toMatchObject({
      reason: "not-found",
    });
    expect(await fleet.connection.request("jobs/status", { jobId: "x" })).toEqual({
      code: 2,
      results: null,
    });
    for (const name of NAMES) expect(fleet.minion(name).calls).toEqual([]);
  });

  it("keeps the overlord from stopping while it runs", async () => {
    fleet.minion("node1").handle = hang;
    const { id } = await fleet.start({ spec: "node1" });
    await expect(fleet.connection.request("overlord/stop", {})).rejects.toMatchObject({
      reason: "conflict",
    });
    await fleet.connection.request("jobs/cancel", { jobId: id });
    await fleet.ended(id);
  });
});

describe("minions", () => {
  it("describe their methods, ours in one call and the original's module by module", async () => {
    const modules = [
      {
        name: "test",
        description: "d",
        methods: [{ name: "ping", description: "p", risk: "read" }],
      },
    ];
    fleet.minion("node1").handle = (request) =>
      request.method === "system.describe" ? Promise.resolve(modules) : answer(request);
    const described = await fleet.connection.request("minions/describe", { spec: "node1" });
    expect(described).toMatchObject({ minion: "node1", modules });
    const asked = fleet.minion("node1").calls.length;
    await fleet.connection.request("minions/describe", { spec: "node1" });
    expect(fleet.minion("node1").calls).toHaveLength(asked);

    const args = {
      add: {
        description: "adds",
        args: {
          b: { type: "int", optional: true, order: 1, default: 2, range: [0, 9] },
          a: { type: "int", optional: false, order: 0 },
        },
      },
    };
    fleet.minion("node2").handle = (request) => {
      if (request.method === "test.list_methods") return Promise.resolve(["add", "grep", "ping"]);
      if (request.method === "test.get_method_args") return Promise.resolve(args);
      return answer(request);
    };
    const original = await fleet.connection.request("minions/describe", { spec: "node2" });
    expect(original.modules).toMatchObject([
      {
        name: "test",
        methods: [
          {
            name: "add",
            description: "adds",
            args: [
              { name: "a", type: "int", optional: false },
              { name: "b", optional: true, default: 2, min: 0, max: 9 },
            ],
          },
          { name: "ping" },
        ],
      },
    ]);
  });

  it("are told of to every client when they change, and their names are free once forgotten", async () => {
    const other = await connect(fleet.home, fleet.script);
    const extra = await startTestMinion(fleet.connection, "extra", answer);
    const addresses: string[] = [];
    const removed: string[] = [];
    other.on("minions/changed", (change) => {
      addresses.push(...change.changed.map(({ name, address }) => `${name} ${address}`));
      removed.push(...change.removed);
    });
    await fleet.connection.request("minions/edit", { name: "extra", address: "127.0.0.2" });
    await until(() => addresses.includes("extra 127.0.0.2"));
    await expect(
      fleet.connection.request("minions/edit", { name: "extra", address: "not a host" }),
    ).rejects.toMatchObject({ reason: "bad-argument" });
    const names = ["EXTRA", "unknown"];
    expect(await fleet.connection.request("minions/forget", { names })).toEqual({
      forgotten: ["extra"],
    });
    await until(() => removed.includes("extra"));
    await extra.close();
    const again = await startTestMinion(fleet.connection, "extra", answer);
    await fleet.connection.request("minions/forget", { names: ["extra"] });
    await again.close();
    other.dispose();
  });

  it("are still known after the overlord was killed", async () => {
    const before = await fleet.connection.request("minions/list", {});
    await fleet.killOverlord();
    const after = await fleet.connection.request("minions/list", {});
    expect(after.map(({ name, port }) => [name, port])).toEqual(
      before.map(({ name, port }) => [name, port]),
    );
    expect(after.every(({ state }) => state === "unknown")).toBe(true);
    const job = await fleet.call({ args: [1] });
    expect(job.summary.counts).toEqual({ succeeded: 3 });
  });
});
