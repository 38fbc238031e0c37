import type { MinionResult } from "../../server/protocol/jobs";
import type { ResultRow } from "../webviews/resultsProtocol";
import { resultRow } from "../results/resultRow";

/** Results under way at a time: they must not stand in the way of what the user asks for. */
const CONCURRENCY = 4;
/** Larger values are only read when their row is opened. */
const MAX_VALUE_BYTES = 1_000_000;
/** What is read for one job altogether. */
const MAX_JOB_BYTES = 64_000_000;

/**
 * Progress leaves large values out; whether a command succeeded stands in them. This reads them, a
 * few at a time and within limits, only to make their rows right; it does not keep them.
 */
export class RowRefiner {
  private readonly waiting: string[] = [];
  private active = 0;
  private bytes = 0;
  private stopped = false;

  constructor(
    private readonly read: (minion: string) => Promise<MinionResult>,
    private readonly refined: (row: ResultRow) => void,
  ) {}

  /** Takes those of the results whose values were left out. */
  add(results: readonly MinionResult[], module: string, method: string): void {
    for (const { minion, value, valueBytes } of results) {
      if (value !== undefined || valueBytes === undefined) continue;
      if (valueBytes > MAX_VALUE_BYTES || this.bytes + valueBytes > MAX_JOB_BYTES) continue;
      this.bytes += valueBytes;
      this.waiting.push(minion);
    }
    while (this.active < CONCURRENCY && this.waiting.length > 0) void this.work(module, method);
  }

  stop(): void {
    this.stopped = true;
    this.waiting.length = 0;
  }

  private async work(module: string, method: string): Promise<void> {
    this.active++;
    try {
      for (let minion = this.waiting.shift(); minion; minion = this.waiting.shift()) {
        const result = await this.read(minion);
        if (this.stopped) return;
        this.refined(resultRow(result, module, method));
      }
    } catch {
      // the job or the overlord is gone: the rows stay as they are
      this.stop();
    } finally {
      this.active--;
    }
  }
}
