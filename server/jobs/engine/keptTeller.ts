import type { MinionCaller } from "../../calls/minionCaller";
import type { SeenMinions } from "../../calls/seenMinions";
import type { MinionRecord } from "../../protocol/minions";
import { Turns } from "./turns";

/** What comes together goes together, on a connection that is still held. */
const SOON_MS = 1_000;
const TIMEOUT_MS = 10_000;
const AT_ONCE = 32;
const MAX_AT_A_TIME = 500;
/** Beyond this the rest has to wait for another start: minions do not keep results for ever. */
const MAX_WAITING = 50_000;
const METHOD = "jobs.acknowledge";

/** A result that is kept here, so that the minion need not keep it. */
export interface KeptResult {
  jobId: string;
  attempt: number;
  minionJobId: string;
}

interface Waiting {
  minion: MinionRecord;
  results: KeptResult[];
  timer?: NodeJS.Timeout;
  /** It was away: it is told at its next sign of life. */
  isAway: boolean;
}

/** Tells minions, some time, that the results of their jobs are kept here. */
export class KeptTeller {
  private readonly waiting = new Map<string, Waiting>();
  private readonly turns = new Turns(AT_ONCE);
  private readonly closing = new AbortController();
  private count = 0;

  constructor(
    private readonly caller: MinionCaller,
    seen: SeenMinions,
    private readonly onTold: (minion: MinionRecord, results: readonly KeptResult[]) => void,
  ) {
    seen.onSeen(({ name }) => {
      const waiting = this.waiting.get(name);
      if (waiting?.isAway) this.plan(waiting);
    });
  }

  add(minion: MinionRecord, result: KeptResult): void {
    if (this.count >= MAX_WAITING || this.closing.signal.aborted) return;
    this.count++;
    const waiting = this.waiting.get(minion.name) ?? { minion, results: [], isAway: false };
    waiting.results.push(result);
    this.waiting.set(minion.name, waiting);
    if (!waiting.isAway) this.plan(waiting);
  }

  close(): void {
    this.closing.abort();
    for (const { timer } of this.waiting.values()) clearTimeout(timer);
  }

  private plan(waiting: Waiting): void {
    waiting.isAway = false;
    waiting.timer ??= setTimeout(() => void this.tell(waiting), SOON_MS).unref();
  }

  /** Never throws. */
  private async tell(waiting: Waiting): Promise<void> {
    const { signal } = this.closing;
    const { minion } = waiting;
    const results = waiting.results.slice(0, MAX_AT_A_TIME);
    const ids = [results.map(({ minionJobId }) => minionJobId)];
    const told = await this.turns
      .take(signal, async () => {
        // an original minion keeps results for its hour, whatever anybody says
        if (await this.caller.isOriginal(minion)) return true;
        const options = { timeoutMs: TIMEOUT_MS, signal };
        const outcome = await this.caller.call(minion, METHOD, ids, options);
        return outcome.state === "succeeded" || outcome.answered;
      })
      .catch(() => false);
    if (signal.aborted) return;
    waiting.timer = undefined;
    waiting.isAway = !told;
    if (!told) return;
    waiting.results.splice(0, results.length);
    this.count -= results.length;
    this.onTold(minion, results);
    if (waiting.results.length > 0) this.plan(waiting);
    else this.waiting.delete(minion.name);
  }
}
