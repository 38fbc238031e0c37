import { parentPort, workerData } from "node:worker_threads";
import { FuncError, messageOf } from "../../common/errors";
import { loadSqlite } from "./database";
import { StoreService } from "./storeService";
import type { StoreMessage, StoreRequest, StoreWorkerData } from "./workerProtocol";

/** The thread that has the job store's databases: answers StoreRequests until it is closed. */
async function run(): Promise<void> {
  const port = parentPort;
  if (!port) throw new Error("store.js is no program of its own");
  const data = workerData as StoreWorkerData;
  const post = (message: StoreMessage): void => {
    port.postMessage(message);
  };
  const sqlite = await loadSqlite(data.wasmFile);
  const service = new StoreService(sqlite, data, post);
  port.on("message", (request: StoreRequest) => {
    void answer(service, request).then(post);
  });
}

async function answer(service: StoreService, request: StoreRequest): Promise<StoreMessage> {
  const { id, method, params } = request;
  try {
    return { kind: "answer", id, result: await service.handle(method, params) };
  } catch (error) {
    const { reason, message, nextStep } =
      error instanceof FuncError
        ? error
        : new FuncError("internal", `The job store failed: ${messageOf(error)}`);
    return { kind: "failure", id, error: { reason, message, nextStep } };
  }
}

void run();
