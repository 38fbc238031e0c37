import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import {
  createMessageConnection,
  StreamMessageReader,
  StreamMessageWriter,
  type MessageConnection,
} from "vscode-jsonrpc/node";
import { atLeast } from "./benchRow";
import type { Benchmark } from "./benchmark";
import type { NotifyMode, NotifyOrder } from "./notifyWorker";
import { cpuMsOf } from "./processTimes";
import { interleaved, pairedRatio, pairs, spread } from "./statistics";
import { startWorker } from "./worker";

const RESULTS = 40_000;
const LEAST = 8;

interface Run {
  wallMs: number;
  cpuMs: number;
}

/** Target T12: what it costs to tell a client of 40,000 results, batched as the overlord's jobs do. */
export const notifyBenchmark: Benchmark = {
  name: "notify",
  what: "40,000 results told to a client, batched against one message for each",
  async *run(context) {
    const socket = join(context.folder, "notify");
    const worker = await startWorker(context, "notify", { socket });
    const stream = connect(socket);
    await once(stream, "connect");
    const connection = createMessageConnection(
      new StreamMessageReader(stream),
      new StreamMessageWriter(stream),
    );
    connection.listen();
    context.onEnd(() => {
      connection.dispose();
      stream.destroy();
    });
    const measure = (mode: NotifyMode) => () => run(connection, worker.pid, mode);
    const modes = {
      batched: measure("batched"),
      single: measure("single"),
      quiet: measure("quiet"),
    };
    await interleaved(2, modes); // warms the code up
    const { batched, single, quiet } = await interleaved(context.rounds, modes);
    // the job's own work is there in both, and is not what is compared
    const telling = (runs: readonly Run[]): number[] =>
      runs.map(({ cpuMs }, round) => Math.max(cpuMs - (quiet[round]?.cpuMs ?? 0), 1));
    yield atLeast(LEAST, {
      name: "T12 batched notifications / one for each result",
      value: pairedRatio(pairs(telling(single), telling(batched))),
      unit: "CPU time of both sides",
      details: `${text(telling(batched))} against ${text(telling(single))} us for each result, the job's own ${text(quiet.map(({ cpuMs }) => cpuMs))} us left out; by the clock ${spread(
        batched.map(({ wallMs }) => wallMs),
        0,
      )} against ${spread(
        single.map(({ wallMs }) => wallMs),
        0,
      )} ms for all`,
    });
  },
};

async function run(connection: MessageConnection, pid: number, mode: NotifyMode): Promise<Run> {
  let received = 0;
  const listener = connection.onNotification("results", (params: { results?: unknown[] }) => {
    received += params.results?.length ?? 1;
  });
  const before = cpuMsOf(pid);
  const own = process.cpuUsage();
  const start = performance.now();
  const order: NotifyOrder = { mode, results: RESULTS };
  await connection.sendRequest("run", order);
  const wallMs = performance.now() - start;
  const { user, system } = process.cpuUsage(own);
  const cpuMs = cpuMsOf(pid) - before + (user + system) / 1_000;
  listener.dispose();
  if (mode !== "quiet" && received !== RESULTS) throw new Error(`${received} results were told`);
  return { wallMs, cpuMs };
}

function text(cpuMs: readonly number[]): string {
  return spread(
    cpuMs.map((time) => (time * 1_000) / RESULTS),
    1,
  );
}
