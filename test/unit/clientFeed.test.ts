import { createServer, connect, type Socket } from "node:net";
import { once } from "node:events";
import { afterEach, expect, it } from "vitest";
import { Job } from "../../server/jobs/job";
import { JobArchive } from "../../server/jobs/jobArchive";
import { JobRegistry } from "../../server/jobs/jobRegistry";
import { ClientFeed } from "../../server/overlord/clientFeed";
import { jobHandlers } from "../../server/overlord/jobHandlers";
import { Outbox } from "../../server/overlord/outbox";
import type { OverlordParts } from "../../server/overlord/service";
import { created, jobRecord } from "../fixtures/jobEvents";
import { MemoryJobStore } from "../fixtures/memoryJobStore";
import { openOutputs } from "../fixtures/outputFolder";

const MIB = 1024 * 1024;
const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** The overlord's end of a connection, and the client's. */
async function connection(): Promise<[Socket, Socket]> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || !address) throw new Error("no port");
  const client = connect(address.port, "127.0.0.1");
  const [socket] = (await once(server, "connection")) as [Socket];
  server.close();
  sockets.push(socket, client);
  return [socket, client];
}

/** A client that has been sent more than it has read. */
async function behind(): Promise<{ feed: ClientFeed; catchUp: () => Promise<() => string> }> {
  const [socket, client] = await connection();
  client.pause();
  const outbox = new Outbox(socket);
  const feed = new ClientFeed(outbox, (method, params) =>
    outbox.write({ jsonrpc: "2.0", method, params } as Parameters<Outbox["write"]>[0]),
  );
  const answer = { jsonrpc: "2.0", id: 1, result: "x".repeat(32 * MIB) };
  const answered = outbox.write(answer);
  expect(outbox.isBehind()).toBe(true);
  const catchUp = async (): Promise<() => string> => {
    let tail = "";
    client.on("data", (chunk: Buffer) => {
      tail = (tail + chunk.toString("latin1")).slice(-10_000);
    });
    client.resume();
    await answered;
    return () => tail;
  };
  return { feed, catchUp };
}

function runningJob(): Job {
  return new Job({
    id: "web-test-ping-1",
    spec: "web",
    module: "test",
    method: "ping",
    argsText: "",
    async: false,
    minions: [{ name: "web" }],
  });
}

it("tells a client the end of a job that came while a large answer was on its way", async () => {
  const { feed, catchUp } = await behind();
  const job = runningJob();
  feed.watch(job);
  job.update("web", { state: "succeeded", value: 1 });
  expect(job.finished).toBe(true);
  const told = await catchUp();
  await expect.poll(told, { timeout: 5_000 }).toContain('"finished":true');
});

it("tells a client the end of a job that ran again before its first end could be told", async () => {
  const { feed, catchUp } = await behind();
  const job = runningJob();
  feed.watch(job);
  job.update("web", { state: "failed" });
  job.again(["web"]);
  const told = await catchUp();
  await expect.poll(told, { timeout: 5_000 }).toContain('"finished":false');
  job.update("web", { state: "succeeded", value: 1 });
  await expect.poll(told, { timeout: 5_000 }).toContain('"finished":true');
});

it("tells a client the end of a job that it watched before the overlord could take it up", async () => {
  const store = new MemoryJobStore();
  await store.append([created("job1")]);
  const jobs = new JobRegistry();
  const { files: outputs } = await openOutputs();
  const archive = new JobArchive(jobs, store, outputs, () => undefined);
  const handlers = jobHandlers({ jobs, archive, store, outputs } as unknown as OverlordParts);
  const told: unknown[] = [];
  const [socket] = await connection();
  const feed = new ClientFeed(new Outbox(socket), (_name, params) => {
    told.push(params);
    return Promise.resolve();
  });
  const snapshot = await handlers["jobs/watch"]({ jobId: "job1" }, feed, feed.gone);
  expect(snapshot.summary.finished).toBe(false);
  const job = new Job(jobRecord("job1"), { results: [], cancelRequested: false });
  jobs.restore(job);
  feed.resumed(job);
  job.update("web1", { state: "succeeded", value: 1 });
  expect(told).toMatchObject([{ seq: 1, summary: { finished: true } }]);
});
