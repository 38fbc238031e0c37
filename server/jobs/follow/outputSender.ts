import { setTimeout as sleep } from "node:timers/promises";
import type { JobOutput, OutputPiece } from "../../protocol/jobs";

/** Fast enough to look immediate. */
const BATCH_MS = 40;
const BATCH_BYTES = 65_536;
/** With more than this waiting, nothing more is read for the client. */
const MOST_WAITING_BYTES = 262_144;
/** Names and numbers of a piece. */
const PIECE_BYTES = 120;

/** Where a followed job's output goes. */
export interface OutputSink {
  /** Settles once there is room for a message. */
  room(): Promise<void>;
  /** Settles once it has left; rejects where the client has gone. */
  send(output: JobOutput): Promise<void>;
}

type Item =
  | { piece: OutputPiece; bytes: number }
  | { ended: string; bytes: number }
  | { problem: { minion: string; message: string }; bytes: number };

/** Gathers what a followed job writes into messages, and tells when the client is behind. */
export class OutputSender {
  #items: Item[] = [];
  #waitingBytes = 0;
  #sending = false;
  #closed = false;
  readonly #forRoom: (() => void)[] = [];

  constructor(
    private readonly jobId: string,
    private readonly sink: OutputSink,
  ) {}

  /** Settles once more may be added, or nobody wants any more. */
  async room(): Promise<void> {
    while (this.#waitingBytes > MOST_WAITING_BYTES && !this.#closed) {
      await new Promise<void>((resolve) => this.#forRoom.push(resolve));
    }
  }

  piece(piece: OutputPiece): void {
    const bytes = Buffer.byteLength(JSON.stringify(piece.text)) + PIECE_BYTES;
    this.#add({ piece, bytes });
  }

  /** All that the minion wrote was added. */
  ended(minion: string): void {
    this.#add({ ended: minion, bytes: minion.length });
  }

  problem(minion: string, message: string): void {
    this.#add({ problem: { minion, message }, bytes: minion.length + message.length });
  }

  close(): void {
    this.#closed = true;
    this.#items = [];
    this.#release();
  }

  #add(item: Item): void {
    if (this.#closed) return;
    this.#items.push(item);
    this.#waitingBytes += item.bytes;
    if (!this.#sending) void this.#send();
  }

  async #send(): Promise<void> {
    this.#sending = true;
    try {
      while (this.#items.length > 0) {
        if (this.#waitingBytes < BATCH_BYTES) await sleep(BATCH_MS);
        await this.sink.room();
        if (this.#closed) return;
        await this.sink.send(this.#take());
        if (this.#waitingBytes <= MOST_WAITING_BYTES) this.#release();
      }
    } catch {
      this.close(); // the client has gone
    } finally {
      this.#sending = false;
    }
  }

  #take(): JobOutput {
    const output: JobOutput = { jobId: this.jobId, pieces: [], ended: [] };
    let bytes = 0;
    let count = 0;
    for (const item of this.#items) {
      if (count > 0 && bytes + item.bytes > BATCH_BYTES) break;
      bytes += item.bytes;
      count++;
      if ("piece" in item) addPiece(output.pieces, item.piece);
      else if ("ended" in item) output.ended.push(item.ended);
      else (output.problems ??= []).push(item.problem);
    }
    this.#items.splice(0, count);
    this.#waitingBytes -= bytes;
    return output;
  }

  #release(): void {
    for (const resolve of this.#forRoom.splice(0)) resolve();
  }
}

/** Goes with the piece before it where it follows on that. */
function addPiece(pieces: OutputPiece[], piece: OutputPiece): void {
  const last = pieces.at(-1);
  const goesOn =
    last?.minion === piece.minion &&
    last.attempt === piece.attempt &&
    last.stream === piece.stream &&
    last.offset + last.bytes === piece.offset;
  if (!last || !goesOn) {
    pieces.push({ ...piece });
    return;
  }
  last.text += piece.text;
  last.bytes += piece.bytes;
}
