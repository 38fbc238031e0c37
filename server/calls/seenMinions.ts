import { onAbort } from "../common/onAbort";
import type { MinionRecord } from "../protocol/minions";
import type { Upkeep } from "./upkeep";

/** Tells those who wait for minions that are away that one has answered. */
export class SeenMinions implements Upkeep {
  private readonly waiting = new Map<string, Set<() => void>>();
  private readonly listeners: ((minion: MinionRecord) => void)[] = [];

  /** Must not throw. */
  onSeen(listener: (minion: MinionRecord) => void): void {
    this.listeners.push(listener);
  }

  answered(minion: MinionRecord): void {
    for (const listener of this.listeners) listener(minion);
    const waiting = this.waiting.get(minion.name);
    if (!waiting) return;
    this.waiting.delete(minion.name);
    for (const wake of waiting) wake();
  }

  /** Settles when the minion has answered whatever, after `mostMs`, or when the signal is aborted. */
  async next(name: string, mostMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const waiting = this.waiting.get(name) ?? new Set();
    this.waiting.set(name, waiting);
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        stopListening();
        waiting.delete(done);
        if (waiting.size === 0 && this.waiting.get(name) === waiting) this.waiting.delete(name);
        resolve();
      };
      const timer = setTimeout(done, mostMs);
      const stopListening = onAbort(signal, done);
      waiting.add(done);
    });
  }
}
