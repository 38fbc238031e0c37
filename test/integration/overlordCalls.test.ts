import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  createMessageConnection,
  NullLogger,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-jsonrpc/node";
import type { OverlordConnection } from "../../server/client/connection";
import { openOverlordSocket } from "../../server/client/endpoint";
import type { JobProgress, JobSummary } from "../../server/protocol/jobs";
import type { StartCallParams } from "../../server/protocol/requests";
import { remoteError } from "../../server/wire/remoteError";
import { RpcFault } from "../../server/wire/rpcFault";
import type { RpcRequest } from "../../server/wire/rpcServer";
import type { XmlRpcValue } from "../../server/wire/value";
import {
  buildOverlord,
  connect,
  endOverlord,
  overlordOptions,
  until,
} from "../fixtures/overlordBundle";
import { startTestMinion, type TestMinion } from "../fixtures/testMinion";

const NAMES = ["node1", "node2", "node3"];

let home: string;
let script: string;
let connection: OverlordConnection;
const minions = new Map<string, TestMinion>();

async function answer({ method, params }: RpcRequest): Promise<XmlRpcValue> {
  if (method === "test.echo") return params[0] ?? null;
  if (method === "system.list_modules") return Promise.resolve(["test"]);
  return Promise.resolve(remoteError("func.minion.codes.InvalidMethodException", ""));
}

/** Answers only when the connection closes. */
async function hang({ signal }: RpcRequest): Promise<XmlRpcValue> {
  await new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => {
      resolve();
    });
  });
  return null;
}

function minion(name: string): TestMinion {
  const found = minions.get(name);
  if (!found) throw new Error(`no ${name}`);
  return found;
}

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "func-calls-"));
  script = await buildOverlord(home);
  await writeFile(join(home, "overlord.yaml"), 'certmaster: { listen: "127.0.0.1:0" }\n');
  connection = await connect(home, script);
  for (const name of NAMES) minions.set(name, await startTestMinion(connection, name, answer));
});

afterAll(async () => {
  connection.dispose();
  await endOverlord(home);
  await Promise.all([...minions.values()].map((one) => one.close()));
  await rm(home, { recursive: true, force: true });
});

beforeEach(() => {
  for (const one of minions.values()) {
    one.calls.length = 0;
    one.handle = answer;
  }
});

/** All progress of jobs seen by this test's connection. */
const seen: JobProgress[] = [];
let subscription: { dispose(): void };

beforeEach(() => {
  seen.length = 0;
  subscription = connection.on("jobs/progress", (progress) => seen.push(progress));
});

afterEach(() => {
  subscription.dispose();
});

function start(params: Partial<StartCallParams>): Promise<JobSummary> {
  const call = { spec: "*", module: "test", method: "echo", args: [], ...params };
  return connection.request("calls/start", call);
}

async function ended(jobId: string): Promise<JobProgress> {
  await until(() => seen.some(({ summary }) => summary.id === jobId && summary.finished));
  return connection.request("jobs/watch", { jobId });
}

async function call(params: Partial<StartCallParams>): Promise<JobProgress> {
  return ended((await start(params)).id);
}

describe("a call", () => {
  it("brings every minion's result, as it comes and in the job", async () => {
    const value = {
      text: "täxt <&>",
      list: [1, 2.5, true, null],
      big: { $int: "9007199254740993" },
    };
    const job = await call({ args: [value] });
    expect(job.summary).toMatchObject({
      finished: true,
      code: 1,
      total: 3,
      counts: { succeeded: 3 },
    });
    expect(job.results).toMatchObject(
      NAMES.map((name) => ({ minion: name, state: "succeeded", value })),
    );
    expect(seen.map(({ seq }) => seq)).toEqual(seen.map((_, index) => index + 1));
    expect(seen.at(-1)?.seq).toBe(job.seq);
    const status = await connection.request("jobs/status", { jobId: job.summary.id });
    expect(status).toEqual({
      code: 1,
      results: Object.fromEntries(NAMES.map((name) => [name, value])),
    });
    const records = await connection.request("minions/list", {});
    expect(records.map(({ name, state }) => [name, state])).toEqual(
      NAMES.map((name) => [name, "online"]),
    );
  });

  it("tells each kind of failure apart, and never loses a minion", async () => {
    minion("node1").handle = () =>
      Promise.resolve(remoteError("exceptions.TypeError", "bad", "trace"));
    minion("node2").handle = () =>
      Promise.reject(new RpcFault(1, "<class 'func.minion.codes.AccessToMethodDenied'>:"));
    minion("node3").handle = () => Promise.reject(new RpcFault(7, "other"));
    const job = await call({});
    expect(job.results).toMatchObject([
      { state: "failed", error: { type: "exceptions.TypeError", message: "bad", trace: "trace" } },
      { state: "denied", error: { type: "xmlrpclib.Fault" } },
      { state: "failed", error: { type: "xmlrpclib.Fault" } },
    ]);
    const { results } = await connection.request("jobs/status", { jobId: job.summary.id });
    expect(results?.node1).toEqual(["REMOTE_ERROR", "exceptions.TypeError", "bad", "trace"]);
  });

  it("reports who cannot be reached, in the inventory too", async () => {
    const { port } = minion("node2");
    await connection.request("minions/edit", { name: "node2", port: 1 });
    const job = await call({ args: [1] });
    expect(job.results).toMatchObject([
      { state: "succeeded" },
      { state: "unreachable", error: { type: "socket.error" } },
      { state: "succeeded" },
    ]);
    const [, record] = await connection.request("minions/list", {});
    expect(record).toMatchObject({ state: "unreachable", port: 1 });
    expect(record?.problem).toContain("node2");
    // the address of another minion is not this minion
    await connection.request("minions/edit", { name: "node2", port: minion("node1").port });
    expect((await call({ spec: "node2" })).results[0]).toMatchObject({ state: "unreachable" });
    await connection.request("minions/edit", { name: "node2", port });
    expect((await call({ spec: "node2", args: [1] })).results[0]).toMatchObject({
      state: "succeeded",
    });
  });

  it("ends a silent minion by its limit alone", async () => {
    minion("node1").handle = hang;
    const job = await call({ args: [1], timeoutMs: 300 });
    expect(job.results).toMatchObject([
      { state: "timed-out", error: { type: "socket.timeout" } },
      { state: "succeeded" },
      { state: "succeeded" },
    ]);
    expect(job.results[0]?.error?.message).toContain("may have run");
  });

  it("is cancelled at once, and the minion is told by the call's id", async () => {
    for (const one of minions.values()) {
      one.handle = (request) =>
        request.method === "jobs.cancel" ? Promise.resolve(true) : hang(request);
    }
    const { id } = await start({ nforks: 2 });
    await until(() => minion("node1").calls.length + minion("node2").calls.length === 2);
    const summary = await connection.request("jobs/cancel", { jobId: id });
    expect(summary.cancelRequested).toBe(true);
    const job = await ended(id);
    expect(job.summary.counts).toEqual({ cancelled: 3 });
    expect(minion("node3").calls).toEqual([]);
    const { calls } = minion("node1");
    await until(() => calls.length === 2);
    expect(calls[1]).toMatchObject({ method: "jobs.cancel", params: [calls[0]?.callId] });
  });

  it("leaves a large value to be asked for", async () => {
    const value = "x".repeat(50_000);
    const job = await call({ spec: "node1", args: [value] });
    expect(job.results[0]).toMatchObject({ state: "succeeded", valueBytes: 50_002 });
    expect(job.results[0]).not.toHaveProperty("value");
    const jobId = job.summary.id;
    const result = await connection.request("jobs/result", { jobId, minion: "node1" });
    expect(result.value).toBe(value);
  });

  it("is refused before anything is sent where it is wrong", async () => {
    await expect(start({ spec: "node9" })).rejects.toMatchObject({
      reason: "no-match",
      message: expect.stringContaining("Did you mean node1") as string,
    });
    await expect(start({ spec: " ; " })).rejects.toMatchObject({ reason: "bad-argument" });
    await expect(start({ nforks: 0 })).rejects.toMatchObject({
      reason: "bad-argument",
      message: expect.stringContaining('"nforks"') as string,
    });
    await expect(connection.request("jobs/watch", { jobId: "x" })).rejects.toMatchObject({
      reason: "not-found",
    });
    expect(await connection.request("jobs/status", { jobId: "x" })).toEqual({
      code: 2,
      results: null,
    });
    for (const one of minions.values()) expect(one.calls).toEqual([]);
  });

  it("keeps the overlord from stopping while it runs", async () => {
    minion("node1").handle = hang;
    const { id } = await start({ spec: "node1" });
    await expect(connection.request("overlord/stop", {})).rejects.toMatchObject({
      reason: "conflict",
    });
    await connection.request("jobs/cancel", { jobId: id });
    await ended(id);
  });
});

it("lets a client that does not read miss progress, and tells it when it reads again", async () => {
  const { socket, hello } = await openOverlordSocket(overlordOptions(home, script));
  const rpc = createMessageConnection(
    new StreamMessageReader(socket),
    new StreamMessageWriter(socket),
    NullLogger,
  );
  const got: JobProgress[] = [];
  rpc.onNotification("jobs/progress", (progress: JobProgress) => got.push(progress));
  rpc.listen();
  await rpc.sendRequest("initialize", { initializationOptions: hello });

  const params = { spec: "*", module: "test", method: "echo", args: ["x".repeat(15_000)] };
  const started = Array.from({ length: 400 }, () =>
    rpc.sendRequest<JobSummary>("calls/start", params),
  );
  socket.pause();
  await until(async () => {
    const { runningJobs } = await connection.request("overlord/status", {});
    const jobs = await connection.request("jobs/list", {});
    return runningJobs === 0 && jobs.length >= 100;
  });
  socket.resume();
  const ids = (await Promise.all(started)).map(({ id }) => id);
  await until(() => {
    const ended = new Set(
      got.filter(({ summary }) => summary.finished).map(({ summary }) => summary.id),
    );
    return ids.every((id) => ended.has(id));
  });
  // a gap in the numbers, or results left out, is how the client learns that it has to watch anew
  const missed = got.filter(({ summary, results }) => summary.finished && results.length === 0);
  for (const { summary, seq } of missed) {
    const snapshot = await rpc.sendRequest<JobProgress>("jobs/watch", { jobId: summary.id });
    expect(snapshot).toMatchObject({ seq, summary: { counts: { succeeded: 3 } } });
  }
  expect(missed.length).toBeGreaterThan(0);
  rpc.dispose();
  socket.destroy();
});

describe("an async call", () => {
  /** Jobs by id: undefined while it runs. */
  let results: Map<string, XmlRpcValue | undefined>;
  let withWait: boolean;

  async function work({ method, params }: RpcRequest): Promise<XmlRpcValue> {
    const id = String(params[0]);
    switch (method) {
      case "async.test.echo":
        results.set(`${id}-minion`, undefined);
        return `${id}-minion`;
      case "jobs.wait":
        if (!withWait) return remoteError("func.minion.codes.InvalidMethodException", "");
        await new Promise((resolve) => setTimeout(resolve, 50));
        return status(id);
      case "jobs.job_status":
        return status(id);
      default:
        return true;
    }
  }

  function status(id: string): XmlRpcValue {
    const value = results.get(id);
    if (!results.has(id)) return [2, 0];
    return value === undefined ? [0, -1] : [1, value];
  }

  beforeEach(() => {
    results = new Map();
    withWait = true;
    for (const one of minions.values()) one.handle = work;
  });

  for (const mode of ["long polls", "plain polls"]) {
    it(`collects results as they come, by ${mode}`, async () => {
      withWait = mode === "long polls";
      const { id } = await start({ spec: "node1;node2", args: ["job"], async: true });
      await until(async () => {
        const { code } = await connection.request("jobs/status", { jobId: id });
        return code === 3;
      });
      const { results: running } = await connection.request("jobs/watch", { jobId: id });
      expect(running).toMatchObject([
        { state: "running", minionJobId: "job-minion" },
        { state: "running", minionJobId: "job-minion" },
      ]);
      results.set("job-minion", ["done"]);
      const job = await ended(id);
      expect(job.summary).toMatchObject({ code: 1, counts: { succeeded: 2 } });
      expect(job.results[0]).toMatchObject({ value: ["done"], minionJobId: "job-minion" });
      const asked = minion("node1").calls.length;
      expect(await connection.request("jobs/status", { jobId: id })).toEqual({
        code: 1,
        results: { node1: ["done"], node2: ["done"] },
      });
      expect(minion("node1").calls).toHaveLength(asked);
    });
  }

  it("knows a failed job from a lost one and a refused start", async () => {
    minion("node2").handle = () => Promise.resolve(remoteError("exceptions.ValueError", "no"));
    minion("node3").handle = (request) =>
      request.method === "jobs.wait" ? Promise.resolve([2, 0]) : work(request);
    const { id } = await start({ args: ["job"], async: true });
    await until(() => results.has("job-minion"));
    results.set("job-minion", remoteError("exceptions.TypeError", "bad", "trace"));
    const job = await ended(id);
    expect(job.results).toMatchObject([
      { state: "failed", error: { type: "exceptions.TypeError" } },
      { state: "failed", error: { type: "exceptions.ValueError" } },
      { state: "lost", error: { type: "lost job" } },
    ]);
  });

  it("goes on asking a minion that was away", async () => {
    const { port } = minion("node1");
    const { id } = await start({ spec: "node1", args: ["job"], async: true });
    await until(() => results.has("job-minion"));
    await connection.request("minions/edit", { name: "node1", port: 1 });
    await until(async () => {
      const [record] = await connection.request("minions/list", {});
      return record?.state === "unreachable";
    });
    await connection.request("minions/edit", { name: "node1", port });
    results.set("job-minion", "late");
    expect((await ended(id)).results[0]).toMatchObject({ state: "succeeded", value: "late" });
  });

  it("ends at its limit, and by cancel, which the minion is told", async () => {
    const limited = await call({ spec: "node1", args: ["job"], async: true, timeoutMs: 200 });
    expect(limited.results[0]).toMatchObject({ state: "timed-out" });
    const { id } = await start({ spec: "node2", args: ["job"], async: true });
    await until(() =>
      seen.some(({ summary }) => summary.id === id && summary.counts.running === 1),
    );
    await connection.request("jobs/cancel", { jobId: id });
    expect((await ended(id)).results[0]).toMatchObject({ state: "cancelled" });
    const { calls } = minion("node2");
    await until(() => calls.some(({ method }) => method === "jobs.cancel"));
    expect(calls.find(({ method }) => method === "jobs.cancel")?.params).toEqual(["job-minion"]);
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
    minion("node1").handle = (request) =>
      request.method === "system.describe" ? Promise.resolve(modules) : answer(request);
    const described = await connection.request("minions/describe", { spec: "node1" });
    expect(described).toMatchObject({ minion: "node1", modules });
    const asked = minion("node1").calls.length;
    await connection.request("minions/describe", { spec: "node1" });
    expect(minion("node1").calls).toHaveLength(asked);

    const args = {
      add: {
        description: "adds",
        args: {
          b: { type: "int", optional: true, order: 1, default: 2, range: [0, 9] },
          a: { type: "int", optional: false, order: 0 },
        },
      },
    };
    minion("node2").handle = (request) => {
      if (request.method === "test.list_methods") return Promise.resolve(["add", "grep", "ping"]);
      if (request.method === "test.get_method_args") return Promise.resolve(args);
      return answer(request);
    };
    const original = await connection.request("minions/describe", { spec: "node2" });
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
    const other = await connect(home, script);
    const extra = await startTestMinion(connection, "extra", answer);
    const changes: unknown[] = [];
    other.on("minions/changed", (change) => changes.push(change));
    await connection.request("minions/edit", { name: "extra", address: "127.0.0.2" });
    await until(() => changes.length > 0);
    expect(changes.at(-1)).toMatchObject({ changed: [{ name: "extra", address: "127.0.0.2" }] });
    await expect(
      connection.request("minions/edit", { name: "extra", address: "not a host" }),
    ).rejects.toMatchObject({ reason: "bad-argument" });
    const count = changes.length;
    const names = ["EXTRA", "unknown"];
    expect(await connection.request("minions/forget", { names })).toEqual({ forgotten: ["extra"] });
    await until(() => changes.length > count);
    expect(changes.at(-1)).toMatchObject({ removed: ["extra"] });
    await extra.close();
    const again = await startTestMinion(connection, "extra", answer);
    await connection.request("minions/forget", { names: ["extra"] });
    await again.close();
    other.dispose();
  });

  it("are still known after the overlord was killed", async () => {
    const before = await connection.request("minions/list", {});
    await endOverlord(home);
    connection = await connect(home, script);
    const after = await connection.request("minions/list", {});
    expect(after.map(({ name, port }) => [name, port])).toEqual(
      before.map(({ name, port }) => [name, port]),
    );
    expect(after.every(({ state }) => state === "unknown")).toBe(true);
    subscription = connection.on("jobs/progress", (progress) => seen.push(progress));
    const job = await call({ args: [1] });
    expect(job.summary.counts).toEqual({ succeeded: 3 });
  });
});
