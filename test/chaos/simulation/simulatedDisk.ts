import {
  FRAME_HEAD_BYTES,
  frameHead,
  frameLength,
  readFrame,
} from "../../../server/jobs/store/journalFrame";
import type { JobEvent } from "../../../server/jobs/store/storeTypes";
import type { Random } from "../../fuzz/random";
import type { VirtualClock } from "./virtualClock";

const MOST_SYNC_MS = 20;

interface Waiting {
  frame: Buffer;
  events: readonly JobEvent[];
  resolve: () => void;
}

/**
 * A disk with one journal, in the frames of the real one. What was not synced when the overlord died is there in
 * part, cut at any byte, or as zeros.
 */
export class SimulatedDisk {
  #durable: Buffer = Buffer.alloc(0);
  #unsynced: Buffer = Buffer.alloc(0);
  #seq = 0;
  /** Crashes that left a record in part. */
  torn = 0;
  writes = 0;
  /** A write begins, and takes at least a millisecond. */
  onWrite: () => void = () => undefined;

  constructor(
    private readonly clock: VirtualClock,
    private readonly random: Random,
  ) {}

  /** The journal as one process writes it: appends that come together are synced together. */
  writer(isAlive: () => boolean, apply: (events: readonly JobEvent[]) => void): Append {
    let waiting: Waiting[] = [];
    let syncing = false;
    const sync = async (): Promise<void> => {
      syncing = true;
      while (waiting.length > 0) {
        const group = waiting;
        waiting = [];
        this.#unsynced = Buffer.concat([this.#unsynced, ...group.map(({ frame }) => frame)]);
        this.writes++;
        this.onWrite();
        await this.clock.sleep(1 + this.random.below(MOST_SYNC_MS));
        if (!isAlive()) return;
        this.#durable = Buffer.concat([this.#durable, this.#unsynced]);
        this.#unsynced = Buffer.alloc(0);
        for (const { events, resolve } of group) {
          apply(JSON.parse(JSON.stringify(events)) as JobEvent[]);
          resolve();
        }
      }
      syncing = false;
    };
    return (events) =>
      new Promise((resolve) => {
        waiting.push({ frame: this.#frame(events), events, resolve });
        if (!syncing) void sync();
      });
  }

  /** The process that wrote died at this moment. Gives what the next one reads. */
  crash(): JobEvent[] {
    const kept = this.random.below(this.#unsynced.length + 1);
    const rest = this.#unsynced.length - kept;
    const zeros = this.random.chance(0.3)
      ? Buffer.alloc(this.random.below(rest + 1))
      : Buffer.alloc(0);
    const bytes = Buffer.concat([this.#durable, this.#unsynced.subarray(0, kept), zeros]);
    this.#unsynced = Buffer.alloc(0);
    const { events, length, seq } = readAll(bytes);
    if (length < bytes.length) this.torn++;
    // as recovery does: the torn end is cut off
    this.#durable = bytes.subarray(0, length);
    this.#seq = seq;
    return events;
  }

  #frame(events: readonly JobEvent[]): Buffer {
    const payload = Buffer.from(events.map((event) => JSON.stringify(event)).join("\n"));
    return Buffer.concat([frameHead({ seq: ++this.#seq, payload }), payload]);
  }
}

/** Durable when it settles; never, where the process dies before. */
export type Append = (events: readonly JobEvent[]) => Promise<void>;

function readAll(bytes: Buffer): { events: JobEvent[]; length: number; seq: number } {
  const events: JobEvent[] = [];
  let at = 0;
  let seq = 0;
  for (;;) {
    const length = frameLength(bytes, at);
    if (length === undefined || length < FRAME_HEAD_BYTES || at + length > bytes.length) break;
    const record = readFrame(bytes, at, length);
    if (!record) break;
    ({ seq } = record);
    for (const line of record.payload.toString().split("\n")) {
      events.push(JSON.parse(line) as JobEvent);
    }
    at += length;
  }
  return { events, length: at, seq };
}
