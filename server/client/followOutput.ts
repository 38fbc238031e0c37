import { FuncError } from "../common/errors";
import type { JobOutput } from "../protocol/jobs";
import type { OverlordConnection } from "./connection";
import type { ConnectionSource } from "./keptConnection";
import { OutputLines, type OutputLine } from "./outputLines";
import { MAX_LOSSES, reconnect } from "./reconnect";
import { isUnavailable } from "./responseError";

export interface FollowOutputOptions {
  /** Only these of the job's minions. */
  minions?: readonly string[];
  /** What was written, each line once and in the order of its stream; the next ones wait for its promise. */
  onLines: (lines: readonly OutputLine[]) => Promise<void> | void;
  /** All lines of this minion were given. */
  onEnded: (minion: string) => void;
  /** The minion's output cannot be followed, or not to its end. */
  onProblem: (minion: string, message: string) => void;
  /** Ends the following; the job goes on. */
  signal: AbortSignal;
}

/** Longer queues are read anew from the overlord, once they are shown. */
const MOST_WAITING_BYTES = 4 * 1024 * 1024;

/**
 * Gives what a job's commands write, what is there and what is to come, until `signal` aborts. Where the overlord goes
 * away, the next one is asked for the rest. Throws FuncError "not-found" where the job is unknown, "unavailable" where
 * the overlord cannot be reached again.
 */
export async function followOutput(
  source: ConnectionSource,
  jobId: string,
  options: FollowOutputOptions,
): Promise<void> {
  const { signal } = options;
  const lines = new OutputLines();
  try {
    let connection = await source.connection(signal);
    for (let losses = 0; ;) {
      const listening = new Listening(connection, jobId, lines, options);
      if (await listening.untilClosed()) losses = 0;
      signal.throwIfAborted();
      if (++losses > MAX_LOSSES) {
        throw new FuncError("unavailable", `The overlord goes away while ${jobId} is followed.`);
      }
      connection = await reconnect(source, losses, signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Listens over one connection. */
class Listening {
  readonly #queue: JobOutput[] = [];
  #waitingBytes = 0;
  #isPaused = false;
  #isClosed = false;
  #hasNews = false;
  #wake = (): void => undefined;

  constructor(
    private readonly connection: OverlordConnection,
    private readonly jobId: string,
    private readonly lines: OutputLines,
    private readonly options: FollowOutputOptions,
  ) {}

  /** Whether anything came before the connection closed, or the signal aborted. */
  async untilClosed(): Promise<boolean> {
    const { signal } = this.options;
    const stop = (): void => {
      this.#isClosed = true;
      this.#wake();
    };
    const output = this.connection.on("jobs/output", (message) => {
      if (message.jobId === this.jobId && !this.#isPaused) this.#take(message);
    });
    const closing = this.connection.onClose(stop);
    signal.addEventListener("abort", stop);
    try {
      await this.#follow();
      await this.#give();
    } catch (error) {
      if (!this.#isClosed || !isUnavailable(error)) throw error;
    } finally {
      output.dispose();
      closing.dispose();
      signal.removeEventListener("abort", stop);
      this.#unfollow();
    }
    return this.#hasNews;
  }

  async #follow(): Promise<void> {
    const { minions, signal } = this.options;
    const offsets = this.lines.offsets();
    const params = { jobId: this.jobId, offsets, ...(minions && { minions: [...minions] }) };
    await this.connection.request("jobs/follow", params, { signal });
  }

  #unfollow(): void {
    this.connection.request("jobs/unfollow", { jobId: this.jobId }).catch(() => undefined);
  }

  #take(message: JobOutput): void {
    this.#queue.push(message);
    for (const { bytes } of message.pieces) this.#waitingBytes += bytes;
    // whoever shows it is slower than the overlord reads: what is not taken now is asked for again
    if (this.#waitingBytes > MOST_WAITING_BYTES) {
      this.#isPaused = true;
      this.#unfollow();
    }
    this.#wake();
  }

  async #give(): Promise<void> {
    const { signal } = this.options;
    while (!signal.aborted) {
      const message = this.#queue.shift();
      if (message) await this.#show(message);
      else if (this.#isClosed) return;
      else if (this.#isPaused) {
        this.#isPaused = false;
        this.#waitingBytes = 0;
        await this.#follow();
      } else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async #show({ pieces, ended, problems = [] }: JobOutput): Promise<void> {
    const { onLines, onEnded, onProblem } = this.options;
    this.#hasNews = true;
    const lines = pieces.flatMap((piece) => this.lines.take(piece));
    for (const minion of ended) lines.push(...this.lines.end(minion));
    if (lines.length > 0) await onLines(lines);
    for (const minion of ended) onEnded(minion);
    for (const { minion, message } of problems) onProblem(minion, message);
  }
}
