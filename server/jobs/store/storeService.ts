import type { SqlJsStatic } from "sql.js";
import { FuncError, messageOf } from "../../common/errors";
import { SerialQueue } from "../../common/serialQueue";
import { StoreDatabases } from "./storeDatabases";
import { StoreRetention } from "./storeRetention";
import { searchSlice } from "./storeSearch";
import { queryHandlers, type StoreHandlers } from "./workerHandlers";
import type {
  StoreMessage,
  StoreMethod,
  StoreOpened,
  StoreRequests,
  StoreWorkerData,
} from "./workerProtocol";

const RETAIN_MS = 60_000;

/** What the worker does, request by request. */
export class StoreService {
  private readonly databases: StoreDatabases;
  private readonly handlers: StoreHandlers;
  private readonly disk = new SerialQueue();
  private readonly retention: StoreRetention;
  private retainTimer: NodeJS.Timeout | undefined;

  constructor(
    sqlite: SqlJsStatic,
    { folder, memoryBytes, limits }: StoreWorkerData,
    private readonly post: (message: StoreMessage) => void,
  ) {
    this.databases = new StoreDatabases(sqlite, {
      folder,
      memoryBytes,
      problem: (message) => {
        post({ kind: "problem", message });
      },
    });
    this.retention = new StoreRetention(this.databases, limits);
    this.handlers = {
      ...queryHandlers(this.databases, folder),
      open: () => this.open(),
      apply: ({ seq, events }) => this.apply(seq, events),
      checkpoint: () => this.disk.run(async () => ({ seq: await this.databases.checkpoint() })),
      retain: () => this.retain(),
      searchSlice: (params) => {
        this.databases.settle();
        return searchSlice(this.databases, params);
      },
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

  private open(): StoreOpened {
    const opened = this.databases.open();
    this.retainTimer = setInterval(() => {
      void this.retain().catch(() => undefined);
    }, RETAIN_MS).unref();
    return opened;
  }

  /** What is forgotten is gone from the disk as well where that can be written; else with the next checkpoint. */
  private async retain(): Promise<{ forgotten: string[] }> {
    const forgotten = this.retention.run(Date.now());
    if (forgotten.length === 0) return { forgotten };
    try {
      await this.disk.run(() => this.databases.checkpoint());
    } catch (error) {
      this.post({ kind: "problem", message: messageOf(error) });
    }
    this.post({ kind: "forgotten", jobIds: forgotten });
    return { forgotten };
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
    clearInterval(this.retainTimer);
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
