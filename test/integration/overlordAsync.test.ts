import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  createMessageConnection,
  NullLogger,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-jsonrpc/node";
import { openOverlordSocket } from "../../server/client/endpoint";
import type { JobProgress, JobSummary } from "../../server/protocol/jobs";
import { remoteError } from "../../server/wire/remoteError";
import type { RpcRequest } from "../../server/wire/rpcServer";
import type { XmlRpcValue } from "../../server/wire/value";
import { overlordOptions, until } from "../fixtures/overlordBundle";
import { TestFleet } from "../fixtures/testFleet";

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

describe("an async call", () => {
  /** Jobs by id: undefined while it runs. */
  let results: Map<string, XmlRpcValue | undefined>;
  let withWait: boolean;

  async function work({ method, params }: RpcRequest): Promise<XmlRpcValue> {
    const id = typeof params[0] === "string" ? params[0] : "";
    switch (method) {
      case "async.test.echo":
        // all minions share the one job here
        if (!results.has(`${id}-minion`)) results.set(`${id}-minion`, undefined);
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
    fleet.reset(work);
  });

  for (const mode of ["long polls", "plain polls"]) {
    it(`collects results as they come, by ${mode}`, async () => {
      withWait = mode === "long polls";
      const { id } = await fleet.start({ spec: "node1;node2", args: ["job"], async: true });
      await until(async () => {
        const { code } = await fleet.connection.request("jobs/status", { jobId: id });
        return code === 3;
      });
      const { results: running } = await fleet.connection.request("jobs/watch", { jobId: id });
      expect(running).toMatchObject([
        { state: "running", minionJobId: "job-minion" },
        { state: "running", minionJobId: "job-minion" },
      ]);
      results.set("job-minion", ["done"]);
      const job = await fleet.ended(id);
      expect(job.summary).toMatchObject({ code: 1, counts: { succeeded: 2 } });
      expect(job.results[0]).toMatchObject({ value: ["done"], minionJobId: "job-minion" });
      const asked = fleet.minion("node1").calls.length;
      expect(await fleet.connection.request("jobs/status", { jobId: id })).toEqual({
        code: 1,
        results: { node1: ["done"], node2: ["done"] },
      });
      expect(fleet.minion("node1").calls).toHaveLength(asked);
    });
  }

  it("knows a failed job from a lost one and a refused start", async () => {
    fleet.minion("node2").handle = () =>
      Promise.resolve(remoteError("exceptions.ValueError", "no"));
    fleet.minion("node3").handle = (request) =>
      request.method === "jobs.wait" ? Promise.resolve([2, 0]) : work(request);
    const { id } = await fleet.start({ args: ["job"], async: true });
    await until(() => results.has("job-minion"));
    results.set("job-minion", remoteError("exceptions.TypeError", "bad", "trace"));
    const job = await fleet.ended(id);
    expect(job.results).toMatchObject([
      { state: "failed", error: { type: "exceptions.TypeError" } },
      { state: "failed", error: { type: "exceptions.ValueError" } },
      { state: "lost", error: { type: "lost job" } },
    ]);
  });

  it("goes on asking a minion that was away", async () => {
    const { port } = fleet.minion("node1");
    const { id } = await fleet.start({ spec: "node1", args: ["job"], async: true });
    await until(() => results.has("job-minion"));
    await fleet.connection.request("minions/edit", { name: "node1", port: 1 });
    await until(async () => {
      const [record] = await fleet.connection.request("minions/list", {});
      return record?.state === "unreachable";
    });
    await fleet.connection.request("minions/edit", { name: "node1", port });
    results.set("job-minion", "late");
    expect((await fleet.ended(id)).results[0]).toMatchObject({ state: "succeeded", value: "late" });
  });

  it("ends at its limit, and by cancel, which the minion is told", async () => {
    const limited = await fleet.call({ spec: "node1", args: ["job"], async: true, timeoutMs: 200 });
    expect(limited.results[0]).toMatchObject({ state: "timed-out" });
    const { id } = await fleet.start({ spec: "node2", args: ["job"], async: true });
    await until(() =>
      fleet.seen.some(({ summary }) => summary.id === id && summary.counts.running === 1),
    );
    await fleet.connection.request("jobs/cancel", { jobId: id });
    expect((await fleet.ended(id)).results[0]).toMatchObject({ state: "cancelled" });
    const { calls } = fleet.minion("node2");
    await until(() => calls.some(({ method }) => method === "jobs.cancel"));
    expect(calls.find(({ method }) => method === "jobs.cancel")?.params).toEqual(["job-minion"]);
  });
});

it("lets a client that does not read miss progress, and tells it when it reads again", async () => {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  fleet.reset(async () => {
    await released;
    return "x".repeat(15_000);
  });
  const { socket, hello } = await openOverlordSocket(overlordOptions(fleet.home, fleet.script));
  const rpc = createMessageConnection(
    new StreamMessageReader(socket),
    new StreamMessageWriter(socket),
    NullLogger,
  );
  const last = new Map<string, JobProgress>();
  rpc.onNotification("jobs/progress", (progress: JobProgress) => {
    last.set(progress.summary.id, progress);
  });
  rpc.listen();
  await rpc.sendRequest("initialize", { initializationOptions: hello });
  const params = { spec: "*", module: "test", method: "echo", args: [] };
  const jobs = await Promise.all(
    Array.from({ length: 150 }, () => rpc.sendRequest<JobSummary>("calls/start", params)),
  );
  await until(() => jobs.every(({ id }) => last.get(id)?.summary.counts.running === 3));
  socket.pause();
  release();
  await until(async () => {
    const { runningJobs } = await fleet.connection.request("overlord/status", {});
    return runningJobs === 0;
  });
  socket.resume();
  await until(() => jobs.every(({ id }) => last.get(id)?.summary.finished === true));
  const missed = jobs.filter(({ id }) => last.get(id)?.results.length === 0);
  expect(missed.length).toBeGreaterThan(0);
  expect(missed.length).toBeLessThan(jobs.length);
  for (const { id } of missed) {
    const snapshot = await rpc.sendRequest<JobProgress>("jobs/watch", { jobId: id });
    expect(snapshot).toMatchObject({
      seq: last.get(id)?.seq,
      summary: { counts: { succeeded: 3 } },
    });
  }
  rpc.dispose();
  socket.destroy();
});
