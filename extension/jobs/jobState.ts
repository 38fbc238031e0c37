import type { JobProgress, JobSummary, MinionResult } from "../../server/protocol/jobs";
import { resultRow } from "../results/resultRow";
import type { ResultRow } from "../webviews/resultsProtocol";

/** One job as displayed: its summary and a short row per minion; values stay with the overlord. */
export class JobState {
  summary: JobSummary;
  readonly rows = new Map<string, ResultRow>();
  private seq: number;

  /** `snapshot` is the answer to jobs/watch; `add` takes the results that it left out. */
  constructor(snapshot: JobProgress) {
    this.summary = snapshot.summary;
    this.seq = snapshot.seq;
    this.add(snapshot.results);
  }

  /** True once there is nothing more to come. */
  get complete(): boolean {
    return this.summary.finished && this.rows.size >= this.summary.total;
  }

  /**
   * Applies one jobs/progress and gives the rows that changed; "old" where the state has it already,
   * "gap" where something before it is missing and the job has to be watched anew.
   */
  apply(progress: JobProgress): ResultRow[] | "old" | "gap" {
    if (progress.seq <= this.seq) return "old";
    if (progress.seq !== this.seq + 1) return "gap";
    this.seq = progress.seq;
    this.summary = progress.summary;
    return this.add(progress.results);
  }

  /** Takes results as they stand and gives their rows. */
  add(results: readonly MinionResult[]): ResultRow[] {
    const { module, method } = this.summary;
    const rows = results.map((result) => ({
      ...resultRow(result, module, method),
      digest: result.digest,
      ...(result.via && result.via.length > 0 && { via: result.via, signed: result.signed }),
    }));
    for (const row of rows) this.rows.set(row.minion, row);
    return rows;
  }
}
