import type { Disposable } from "vscode";
import { asFuncError } from "../errors";
import type { OverlordSession } from "../overlordSession";
import type { SearchProgress } from "./resultsProtocol";

/** Searches the outputs of one job at the overlord, one search at a time, and tells how it goes. */
export class SearchRunner implements Disposable {
  private ending: AbortController | undefined;

  constructor(
    private readonly session: OverlordSession,
    private readonly jobId: string,
    private readonly report: (progress: SearchProgress) => void,
  ) {}

  /** Begins search number `search`; an earlier one ends. Failures are reported. */
  async run(search: number, text: string): Promise<void> {
    this.cancel();
    const ending = new AbortController();
    this.ending = ending;
    let searched = 0;
    let total = 0;
    try {
      let cursor: string | undefined;
      do {
        const answer = await this.session.request(
          "jobs/search",
          { jobId: this.jobId, text, cursor },
          { signal: ending.signal },
        );
        if (ending.signal.aborted) return;
        ({ searched, total, next: cursor } = answer);
        const state = cursor === undefined ? "done" : "running";
        this.report({ search, matches: answer.matches, searched, total, state });
      } while (cursor !== undefined);
    } catch (error) {
      if (ending.signal.aborted) return;
      const { message } = asFuncError(error);
      this.report({ search, matches: [], searched, total, state: "failed", message });
    }
  }

  cancel(): void {
    this.ending?.abort();
    this.ending = undefined;
  }

  dispose(): void {
    this.cancel();
  }
}
