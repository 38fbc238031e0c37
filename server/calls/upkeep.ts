import type { MinionRecord } from "../protocol/minions";

/** What is looked after on minions beside their calls: certificates, what they know of others. */
export interface Upkeep {
  /**
   * Before each attempt: a promise where something has to be done first. Rejects with a FuncError where the
   * minion cannot be called as it is. Never more than its own time limits.
   */
  before?(minion: MinionRecord, signal: AbortSignal): Promise<void> | undefined;
  /**
   * After an attempt that ended with `error` before anything was sent, or before the minion ran anything: a promise where that can be mended; the
   * call is tried once more when it resolves.
   */
  mend?(minion: MinionRecord, error: unknown, signal: AbortSignal): Promise<void> | undefined;
  /** The minion has answered. Must not throw. */
  answered?(minion: MinionRecord): void;
}
