import { FINAL_STATES, type MinionResult } from "../protocol/jobs";
import { firstNames } from "./firstNames";

/** A command that writes nothing for so long may make one think that all has stopped. */
const QUIET_MS = 10_000;

/** Says once who is waited for, when there has been no news of a job for ten seconds. */
export class QuietNote {
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  /** `waiting` gives all of the job's minions that are followed; where it fails, nothing is said. */
  constructor(
    private readonly note: (text: string) => void,
    private readonly waiting: () => Promise<readonly MinionResult[]>,
    private readonly onInterrupt = "Ctrl-C leaves it, and the job goes on.",
    private readonly quietMs = QUIET_MS,
  ) {
    this.news();
  }

  /** Something was told: from now on it is quiet again. */
  news(): void {
    clearTimeout(this.#timer);
    if (this.#isOver) return;
    this.#timer = setTimeout(() => void this.#tell(), this.quietMs);
  }

  close(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  async #tell(): Promise<void> {
    const results = await this.waiting().catch(() => []);
    if (this.#isOver) return;
    const text = waitingText(results);
    if (text === "") return;
    this.close();
    const seconds = Math.round(this.quietMs / 1_000);
    this.note(`func: no news for ${seconds} s: waiting for ${text}.\n      ${this.onInterrupt}\n`);
  }
}

/** `minion5, and over mid1 for web1, web2`; empty where nobody is waited for. */
export function waitingText(results: readonly MinionResult[]): string {
  const own: string[] = [];
  const behind = new Map<string, string[]>();
  for (const { minion, state, via } of results) {
    if (FINAL_STATES.has(state)) continue;
    const hop = via?.join("/");
    if (hop === undefined || hop === "") own.push(minion);
    else behind.set(hop, [...(behind.get(hop) ?? []), minion]);
  }
  const hops = [...behind].map(([hop, names]) => `${firstNames(names)} (via ${hop})`);
  return [firstNames(own), firstNames(hops)].filter((text) => text !== "").join(", ");
}
