import type { SqlJsStatic } from "sql.js";
import { FuncError, messageOf } from "../../common/errors";
import { SerialQueue } from "../../common/serialQueue";
import { StoreDatabases } from "./storeDatabases";
import { queryHandlers, type StoreHandlers } from "./workerHandlers";
import type { StoreMessage, StoreMethod, StoreRequests, StoreWorkerData } from "./workerProtocol";

/** What the worker does, request by request. */
export class StoreService {
  private readonly databases: StoreDatabases;
  private readonly handlers: StoreHandlers;
  private readonly disk = new SerialQueue();

  constructor(
    sqlite: SqlJsStatic,
    { folder, memoryBytes }: StoreWorkerData,
    private readonly post: (message: StoreMessage) => void,
  ) {
    this.databases = new StoreDatabases(sqlite, {
      folder,
      memoryBytes,
      problem: (message) => {
        post({ kind: "problem", message });
      },
    });
    this.handlers = {
      ...queryHandlers(this.databases, folder),
      open: () => this.databases.open(),
      apply: ({ seq, events }) => this.apply(seq, events),
      checkpoint: () => this.disk.run(async () => ({ seq: await this.databases.checkpoint() })),
      retain: () => ({ forgotten: [] }),
      searchSlice: () => ({ matches: [], candidates: [], searched: 0 }),
      close: () => this.disk.run(() => this.close()),
    };
  }

  /** What does not write to the disk is done when this returns, so that requests keep their order. */
  handle<Method extends StoreMethod>(
    method: Method,
    params: StoreRequests[Method]["params"],
  ): StoreRequests[Method]["result"] | Promise<StoreRequests[Method]["result"]> {
    try {
      return this.handlers[method](params);
    } finally {
      this.databases.days.evict();
    }
  }

  private apply(seq: number, events: Uint8Array): object {
    const { buffer, byteOffset, byteLength } = events;
    const text = Buffer.from(buffer, byteOffset, byteLength).toString("utf8");
    try {
      this.databases.apply(
        seq,
        text.split("\n").filter((line) => line !== ""),
      );
    } catch (error) {
      // what is in memory is not to be trusted any more, and what is on the disk is whole
      setImmediate(() => process.exit(1));
      throw new FuncError("internal", `The job store's databases fail: ${messageOf(error)}`);
    }
    return {};
  }

  private async close(): Promise<{ seq?: number }> {
    try {
      return { seq: await this.databases.checkpoint() };
    } catch (error) {
      this.post({ kind: "problem", message: messageOf(error) });
      return {};
    } finally {
      this.databases.close();
    }
  }
}
