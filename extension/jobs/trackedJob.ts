import { EventEmitter, l10n } from "vscode";
import { FuncError } from "../../server/common/errors";
import type { JobProgress, JobSummary } from "../../server/protocol/jobs";
import { asFuncError } from "../errors";
import type { OverlordSession } from "../overlordSession";
import type { ResultRow } from "../webviews/resultsProtocol";
import { JobState } from "./jobState";

/** "snapshot": everything may differ; "lost": see `TrackedJob.lost`. */
export type JobChange =
  { kind: "snapshot" } | { kind: "rows"; rows: readonly ResultRow[] } | { kind: "lost" };

/** Results in one answer: read and drawn in a few milliseconds. */
const PAGE = 250;

/** One displayed job: watches it, follows its progress, watches anew where something was missed. */
export class TrackedJob {
  state: JobState | undefined;
  /** Why the job cannot be shown (any more). */
  lost: FuncError | undefined;
  private watching: Promise<JobSummary | undefined> | undefined;
  private disposed = false;
  private readonly emitter = new EventEmitter<JobChange>();
  readonly onDidChange = this.emitter.event;

  constructor(
    readonly jobId: string,
    private readonly session: OverlordSession,
  ) {}

  /** Asks for the job as it stands and for its progress from then on. Undefined where it is lost. */
  watch(): Promise<JobSummary | undefined> {
    this.watching ??= this.ask().finally(() => (this.watching = undefined));
    return this.watching;
  }

  take(progress: JobProgress): void {
    // without a state the answer to jobs/watch is under way and includes this
    const rows = this.state?.apply(progress);
    if (rows === "gap") void this.watch();
    else if (rows !== undefined && rows !== "old") this.emitter.fire({ kind: "rows", rows });
  }

  dispose(): void {
    this.disposed = true;
    this.emitter.dispose();
    if (this.session.state.kind !== "connected" || this.lost) return;
    // the overlord stops sending; should it not hear this, it sends what nobody shows
    this.session.request("jobs/unwatch", { jobId: this.jobId }).catch(() => undefined);
  }

  /** In pages, so that a large job holds up neither the overlord nor this process. */
  private async askForOthers(state: JobState, have: number): Promise<void> {
    const { jobId } = this;
    for (let from = have; from < state.summary.total; from += PAGE) {
      const { results } = await this.session.request("jobs/results", { jobId, from, limit: PAGE });
      if (this.disposed || this.state !== state) return;
      this.emitter.fire({ kind: "rows", rows: state.add(results) });
    }
  }

  private async ask(): Promise<JobSummary | undefined> {
    try {
      const { jobId } = this;
      const snapshot = await this.session.request("jobs/watch", { jobId, limit: PAGE });
      if (this.disposed) return undefined;
      this.state = new JobState(snapshot);
      this.lost = undefined;
      this.emitter.fire({ kind: "snapshot" });
      await this.askForOthers(this.state, snapshot.results.length);
      return snapshot.summary;
    } catch (error) {
      if (this.disposed) return undefined;
      const failure = asFuncError(error);
      // a finished and whole list of results stays of use when the overlord no longer has the job
      if (this.state?.complete) return undefined;
      this.lost = failure.reason === "not-found" ? unknownJob() : failure;
      this.emitter.fire({ kind: "lost" });
      return undefined;
    }
  }
}

function unknownJob(): FuncError {
  return new FuncError(
    "not-found",
    l10n.t("The overlord does not have this job: it was deleted, or is older than what is kept."),
    l10n.t("Make the call again to see its results."),
  );
}
