import { createServer } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import {
  createMessageConnection,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-jsonrpc/node";
import { Job } from "../../server/jobs/job";
import { workerReady } from "./worker";

export interface NotifyOptions {
  socket: string;
}

/** Batched: as the overlord tells of results. Single: a message for each. Quiet: nobody is told. */
export type NotifyMode = "batched" | "single" | "quiet";

export interface NotifyOrder {
  mode: NotifyMode;
  results: number;
}

/** So many results come in one turn of the event loop. */
const PER_TURN = 16;

/** Serves on a socket: a request "run" makes a job's results come in, and is answered after the last. */
export async function notifyWorker({ socket }: NotifyOptions): Promise<void> {
  const server = createServer((client) => {
    const connection = createMessageConnection(
      new StreamMessageReader(client),
      new StreamMessageWriter(client),
    );
    connection.onRequest("run", async ({ mode, results }: NotifyOrder) => {
      const send = (params: unknown): void => void connection.sendNotification("results", params);
      await run(mode, results, send);
      return null;
    });
    connection.listen();
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  workerReady({});
}

async function run(
  mode: NotifyMode,
  results: number,
  send: (params: unknown) => void,
): Promise<void> {
  const minions = Array.from({ length: results }, (_, index) => ({
    name: `minion${index + 1}`,
    address: "127.0.0.1",
    port: 51_234,
  }));
  const job = new Job({
    id: "bench",
    spec: "*",
    module: "command",
    method: "run",
    argsText: "hostname",
    async: false,
    minions,
  });
  const finished = new Promise<void>((resolve) => {
    job.onFinished(resolve);
  });
  if (mode === "batched") job.onProgress(send);
  for (const [index, { name }] of minions.entries()) {
    const value = [0, `${name}\n`, ""];
    job.update(name, { state: "succeeded", value });
    if (mode === "single") send({ minion: name, state: "succeeded", value });
    if (index % PER_TURN === PER_TURN - 1) await nextTurn();
  }
  await finished;
}
