import { FuncError, messageOf } from "../../common/errors";
import type { Log } from "../../common/log";
import type { ByteGate } from "./byteGate";
import type { JournalRecord } from "./journalFrame";
import type { StoreWorker, StoreWorkerListeners } from "./workerClient";
import type { StoreMethod, StoreOpened, StoreRequests } from "./workerProtocol";

/** Records of the journal that a worker which starts has not taken yet. */
const MAX_REPLAYING = 16;
/** A worker that dies more often than so in a minute is started again after a pause only. */
const MAX_STARTS = 3;
const STARTS_WITHIN_MS = 60_000;
/** The largest databases are written within this time; one that takes no record for longer hangs. */
const HANGS_AFTER_MS = 120_000;
const CLOSE_TIMEOUT_MS = 4_000;

export type WorkerHandle = Pick<StoreWorker, "ask" | "close" | "kill">;

export interface StoreThreadOptions {
  start: (listeners: StoreWorkerListeners) => WorkerHandle;
  /** The records on the disk after a number, up to one or to the end. */
  replay: (after: number, upTo: number | undefined) => AsyncIterable<JournalRecord>;
  /** Number of the last record that is on the disk at this moment; undefined before it is known. */
  last: () => number | undefined;
  gate: ByteGate;
  onForgotten: (jobIds: readonly string[]) => void;
  log: Log;
}

/** One life of the worker. */
interface Life {
  worker: WorkerHandle;
  /** Settles when it has all that was on the disk when it began. */
  ready: Promise<StoreOpened>;
  /** Records up to this one it reads from the disk; undefined for all that there are. */
  upTo: number | undefined;
  /** Those that came while it read; undefined once it has. */
  backlog: JournalRecord[] | undefined;
  ended: boolean;
}

/**
 * Keeps a worker with all of the journal: starts it when it is first needed, and again where it has died, from the
 * databases and the journal that are on the disk.
 */
export class StoreThread {
  private life: Life | undefined;
  private starts: number[] = [];
  private closed = false;
  /** Why the worker lacks records that are on the disk; undefined where it has all. */
  private lacking: string | undefined;

  constructor(private readonly options: StoreThreadOptions) {}

  get isStarted(): boolean {
    return this.life !== undefined;
  }

  get problem(): string | undefined {
    return this.lacking;
  }

  /** Starts the worker where it does not run. Throws FuncError "unavailable" where it cannot. */
  start(): Promise<StoreOpened> {
    try {
      this.life ??= this.begin();
      return this.life.ready;
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(messageOf(error)));
    }
  }

  /** Gives it a record that is on the disk. */
  feed(record: JournalRecord): void {
    const { life } = this;
    if (!life) {
      void this.start().catch(() => undefined); // it reads the record from the disk
    } else if (record.seq > (life.upTo ?? 0)) {
      this.options.gate.force(record.payload.length);
      if (life.backlog) life.backlog.push(record);
      else void this.apply(life, record).finally(() => this.done(record));
    }
  }

  /** Answered after all that was fed before; once more by the next worker where this one dies meanwhile. */
  async ask<Method extends StoreMethod>(
    method: Method,
    params: StoreRequests[Method]["params"],
  ): Promise<StoreRequests[Method]["result"]> {
    for (let tries = 1; ; tries++) {
      await this.start();
      const { life } = this;
      if (!life) continue;
      try {
        return await life.worker.ask(method, params);
      } catch (error) {
        if (!life.ended || this.closed || tries > 1) throw error;
      }
    }
  }

  /** Writes the databases where that is possible; answers up to which record they have all. */
  async close(): Promise<number | undefined> {
    this.closed = true;
    const { life } = this;
    if (!life) return undefined;
    const limit = setTimeout(() => void life.worker.kill(), CLOSE_TIMEOUT_MS);
    try {
      await life.ready;
      return (await life.worker.close()).seq;
    } finally {
      clearTimeout(limit);
      life.ended = true;
      await life.worker.kill().catch(() => undefined);
    }
  }

  /** Ends the worker as it is: the next one reads the journal anew. */
  async restart(why: string): Promise<void> {
    const { life } = this;
    if (!life) return;
    this.end(life, why);
    await life.worker.kill().catch(() => undefined);
  }

  private begin(): Life {
    if (this.closed) throw unavailable("it is closed");
    const now = Date.now();
    this.starts = this.starts.filter((at) => now - at < STARTS_WITHIN_MS);
    if (this.starts.length >= MAX_STARTS) throw unavailable("its thread ended several times");
    this.starts.push(now);
    const { log, onForgotten, start, last } = this.options;
    const worker = start({
      forgotten: onForgotten,
      problem: (message) => {
        log.error("the job store is damaged", { problem: message });
      },
      died: (error) => {
        this.end(life, error.message);
      },
    });
    const life: Life = {
      worker,
      upTo: last(),
      backlog: [],
      ended: false,
      ready: Promise.resolve({ appliedSeq: 0, lastSeq: 0, problems: [] }),
    };
    life.ready = this.bringUp(life);
    life.ready.catch((error: unknown) => {
      this.end(life, messageOf(error));
      void worker.kill().catch(() => undefined);
    });
    return life;
  }

  private async bringUp(life: Life): Promise<StoreOpened> {
    const { log, replay } = this.options;
    this.lacking = undefined;
    const opened = await life.worker.ask("open", {});
    for (const problem of opened.problems) log.error("the job store was damaged", { problem });
    const under = new Set<Promise<void>>();
    for await (const record of replay(opened.appliedSeq, life.upTo)) {
      const applied = this.apply(life, record).finally(() => under.delete(applied));
      under.add(applied);
      if (under.size >= MAX_REPLAYING) await Promise.race(under);
      if (hasEnded(life)) throw unavailable("its thread ended");
    }
    await Promise.all(under);
    const { backlog = [] } = life;
    life.backlog = undefined;
    for (const record of backlog) void this.apply(life, record).finally(() => this.done(record));
    return opened;
  }

  /** Never rejects. */
  private async apply(life: Life, { seq, payload }: JournalRecord): Promise<void> {
    if (hasEnded(life)) return;
    const events = new Uint8Array(payload); // of its own: it is handed over
    const hangs = setTimeout(() => {
      void this.restart("it hangs");
    }, HANGS_AFTER_MS).unref();
    try {
      await life.worker.ask("apply", { seq, events }, [events.buffer]);
    } catch (error) {
      if (hasEnded(life)) return;
      const problem = messageOf(error);
      // anything else would be the same the next time
      if (error instanceof FuncError && error.reason === "unavailable") this.lacking = problem;
      const what = "the job store could not take a record of its journal";
      this.options.log.error(what, { record: seq, problem });
    } finally {
      clearTimeout(hangs);
    }
  }

  private done({ payload }: JournalRecord): void {
    this.options.gate.leave(payload.length);
  }

  private end(life: Life, why: string): void {
    if (life.ended) return;
    life.ended = true;
    if (this.life === life) this.life = undefined;
    for (const record of life.backlog ?? []) this.done(record);
    life.backlog = undefined;
    if (!this.closed) this.options.log.error("the thread of the job store ended", { why });
  }
}

function hasEnded({ ended }: Life): boolean {
  return ended;
}

function unavailable(why: string): FuncError {
  return new FuncError(
    "unavailable",
    `The job store cannot be read at this moment: ${why}.`,
    "Look at the overlord's log, then try again in a minute.",
  );
}
