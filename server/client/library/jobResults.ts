import { messageOf } from "../../common/errors";
import type { MinionResult } from "../../protocol/jobs";
import { followJob } from "../followJob";
import type { KeptConnection } from "../keptConnection";

/**
 * The results of a job as they come, no faster than they are taken. Throws as `followJob` does. Whoever stops taking
 * them ends the watching, not the job.
 */
export async function* jobResults(
  overlord: KeptConnection,
  jobId: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<MinionResult, void, undefined> {
  const stop = new AbortController();
  const handover = new Handover<MinionResult>();
  const following = followJob(overlord, jobId, {
    signal: signal ? AbortSignal.any([signal, stop.signal]) : stop.signal,
    onResult: (result) => handover.give(result),
  }).then(
    () => {
      handover.end();
    },
    (error: unknown) => {
      handover.end(error instanceof Error ? error : new Error(messageOf(error)));
    },
  );
  try {
    for (;;) {
      const hold = overlord.hold();
      const next = await handover.take().finally(() => {
        hold.dispose();
      });
      if (next === undefined) return;
      yield next;
    }
  } finally {
    stop.abort();
    handover.stop();
    await following;
  }
}

/** Hands one thing after the other to who takes them. */
class Handover<T extends object> {
  #offered: { thing: T; taken: () => void } | undefined;
  #ended: { error?: Error } | undefined;
  #stopped = false;
  #wake = (): void => undefined;

  /** Resolves once the next one is wanted. */
  give(thing: T): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((taken) => {
      this.#offered = { thing, taken };
      this.#wake();
    });
  }

  end(error?: Error): void {
    this.#ended = { ...(error && { error }) };
    this.#wake();
  }

  /** Nothing is taken any more. */
  stop(): void {
    this.#stopped = true;
    this.#offered?.taken();
  }

  /** Undefined at the end. Throws what it ended with. */
  async take(): Promise<T | undefined> {
    while (!this.#offered && !this.#ended) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    const offered = this.#offered;
    this.#offered = undefined;
    offered?.taken();
    if (offered) return offered.thing;
    if (this.#ended?.error) throw this.#ended.error;
    return undefined;
  }
}
