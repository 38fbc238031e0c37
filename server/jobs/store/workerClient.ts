import { Worker } from "node:worker_threads";
import { FuncError } from "../../common/errors";
import type {
  StoreMessage,
  StoreMethod,
  StoreRequests,
  StoreWorkerData,
  StoreRequest,
} from "./workerProtocol";

interface Waiting {
  resolve: (result: never) => void;
  reject: (error: FuncError) => void;
}

export interface StoreWorkerListeners {
  /** Retention let go of these jobs. */
  forgotten: (jobIds: readonly string[]) => void;
  /** Something is wrong with the store's files, for the log. */
  problem: (message: string) => void;
  /** The worker is gone without having been closed: what it had in memory is lost, the journal has it. */
  died: (error: FuncError) => void;
}

/** The thread that has the job store's databases. */
export class StoreWorker {
  private readonly waiting = new Map<number, Waiting>();
  private readonly worker: Worker;
  private nextId = 1;
  private ended: FuncError | undefined;

  /** `script` is the bundle `store.js`. */
  constructor(
    script: string,
    data: StoreWorkerData,
    private readonly listeners: StoreWorkerListeners,
  ) {
    this.worker = new Worker(script, { workerData: data, name: "store" });
    this.worker.on("message", (message: StoreMessage) => {
      this.take(message);
    });
    this.worker.on("error", (error) => {
      this.end(error.message);
    });
    this.worker.on("exit", (code) => {
      this.end(`it exited with status ${code}`);
    });
  }

  /**
   * Throws the request's FuncErrors; "unavailable" where the worker is gone. Buffers of `transfer` are handed over:
   * they are empty afterwards.
   */
  ask<Method extends StoreMethod>(
    method: Method,
    params: StoreRequests[Method]["params"],
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<StoreRequests[Method]["result"]> {
    if (this.ended) return Promise.reject(this.ended);
    const request: StoreRequest<Method> = { id: this.nextId++, method, params };
    return new Promise((resolve, reject) => {
      this.waiting.set(request.id, { resolve, reject });
      this.worker.postMessage(request, transfer);
    });
  }

  /** Writes what can be written, then ends the thread. */
  async close(): Promise<StoreRequests["close"]["result"]> {
    try {
      return await this.ask("close", {});
    } finally {
      await this.kill();
    }
  }

  /** Ends the thread at once. */
  async kill(): Promise<void> {
    this.ended ??= closed("it was closed");
    await this.worker.terminate();
  }

  private take(message: StoreMessage): void {
    if (message.kind === "forgotten") {
      this.listeners.forgotten(message.jobIds);
    } else if (message.kind === "problem") {
      this.listeners.problem(message.message);
    } else {
      const waiting = this.waiting.get(message.id);
      this.waiting.delete(message.id);
      if (message.kind === "answer") {
        waiting?.resolve(message.result as never);
      } else {
        const { reason, message: text, nextStep } = message.error;
        waiting?.reject(new FuncError(reason, text, nextStep));
      }
    }
  }

  private end(cause: string): void {
    const error = this.ended ?? closed(cause);
    if (!this.ended) {
      this.ended = error;
      this.listeners.died(error);
    }
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }
}

function closed(cause: string): FuncError {
  return new FuncError(
    "unavailable",
    `The job store does not work at this moment: ${cause}.`,
    "Look at the overlord's log, then try again.",
  );
}
