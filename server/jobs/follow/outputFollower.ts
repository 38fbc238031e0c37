import { setMaxListeners } from "node:events";
import { messageOf } from "../../common/errors";
import { FINAL_STATES, type OutputOffsets } from "../../protocol/jobs";
import type { FollowedJob, FollowedPart } from "./followedJob";
import { OutputSender, type OutputSink } from "./outputSender";
import { PartFollower, type FollowContext, type FollowParts } from "./partFollower";

export interface FollowRequest {
  /** All of the job's minions without. */
  minions?: readonly string[];
  /** What is known of each already. */
  offsets?: { [minion: string]: OutputOffsets };
}

const BEGINNING: OutputOffsets = { stdout: 0, stderr: 0 };

/** Sends one client what the commands of one job write, as they write it. */
export class OutputFollower {
  readonly #parts = new Map<string, FollowedPart>();
  readonly #waiting = new Map<string, () => void>();
  readonly #open: Set<string>;
  readonly #closing = new AbortController();
  readonly #sender: OutputSender;
  readonly #news: { dispose(): void };

  /** `onEnd`: nothing more comes. */
  constructor(
    job: FollowedJob,
    parts: FollowParts,
    sink: OutputSink,
    { minions, offsets = {} }: FollowRequest,
    private readonly onEnd: () => void = () => undefined,
  ) {
    this.#sender = new OutputSender(job.id, sink);
    const wanted = minions && new Set(minions.map((name) => name.toLowerCase()));
    for (const part of job.parts()) {
      if (wanted?.has(part.minion) ?? true) this.#parts.set(part.minion, part);
    }
    this.#open = new Set(this.#parts.keys());
    this.#news = job.onParts((changed) => {
      for (const part of changed) this.#update(part);
    });
    const { signal } = this.#closing;
    setMaxListeners(0, signal);
    const context: FollowContext = {
      ...parts,
      job,
      sender: this.#sender,
      count: Math.max(1, this.#parts.size),
      part: (minion) => this.#parts.get(minion),
      changed: (known) => this.#changed(known),
      ended: (part) => {
        this.#ended(part);
      },
      signal,
    };
    const known = new Map(Object.entries(offsets));
    for (const minion of this.#parts.keys()) {
      const follower = new PartFollower(minion, context, known.get(minion) ?? BEGINNING);
      follower.run().catch((error: unknown) => {
        if (!signal.aborted) this.#sender.problem(minion, messageOf(error));
      });
    }
    if (this.#open.size === 0) {
      queueMicrotask(() => {
        this.#finish();
      });
    }
  }

  close(): void {
    this.#stop();
    this.#sender.close();
  }

  #stop(): void {
    this.#closing.abort(new Error("not followed any more"));
    this.#news.dispose();
  }

  /** What was gathered is still sent. */
  #finish(): void {
    this.#stop();
    this.onEnd();
  }

  #ended({ minion, state }: FollowedPart): void {
    if (!FINAL_STATES.has(state)) return;
    this.#open.delete(minion);
    if (this.#open.size === 0 && !this.#closing.signal.aborted) this.#finish();
  }

  #update(part: FollowedPart): void {
    if (!this.#parts.has(part.minion)) return;
    this.#parts.set(part.minion, part);
    if (!FINAL_STATES.has(part.state)) this.#open.add(part.minion);
    this.#waiting.get(part.minion)?.();
  }

  /** Each part is waited for by its own follower only. */
  async #changed(known: FollowedPart): Promise<void> {
    const { signal } = this.#closing;
    const { minion } = known;
    if (signal.aborted || this.#parts.get(minion) !== known) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        signal.removeEventListener("abort", done);
        this.#waiting.delete(minion);
        resolve();
      };
      signal.addEventListener("abort", done);
      this.#waiting.set(minion, done);
    });
  }
}
