import type { Disposable } from "vscode";
import type { JobSummary } from "../../server/protocol/jobs";
import type { JobTracker } from "../jobs/jobTracker";
import type { JobChange, TrackedJob } from "../jobs/trackedJob";
import type { OverlordSession } from "../overlordSession";
import type { MapIndex } from "./mapIndex";
import type { EndedCall } from "./mapProtocol";
import type { ResultRow } from "./resultsProtocol";

/** Jobs that are followed at the same time; of more, the newest. */
const MAX_JOBS = 8;
/** More pictures a second nobody sees. */
const TELL_MS = 150;
/** Ends that one picture can show. */
const MAX_ENDED = 200;

interface Watched {
  job: TrackedJob;
  subscription: Disposable;
  /** Where its calls are under way. */
  under: Set<number>;
}

/** Follows the jobs that run, and tells on which hosts of the map calls are under way and have ended. */
export class CallWatch implements Disposable {
  private readonly watched = new Map<string, Watched>();
  private ended: EndedCall[] = [];
  private timer: NodeJS.Timeout | undefined;
  private readonly subscription: Disposable;

  constructor(
    session: OverlordSession,
    private readonly jobs: JobTracker,
    private readonly index: MapIndex,
    private readonly tell: (under: number[], ended: EndedCall[]) => void,
  ) {
    this.subscription = session.onJobsChanged(({ changed }) => {
      for (const job of changed) this.take(job);
    });
    // from then on the overlord tells of changes
    session.request("jobs/list", { state: "running", limit: MAX_JOBS }).then(
      (page) => page.jobs.forEach((job) => this.take(job)),
      () => undefined,
    );
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.subscription.dispose();
    for (const id of [...this.watched.keys()]) this.release(id);
  }

  private take({ id, finished }: JobSummary): void {
    if (finished || this.watched.has(id)) return;
    const [oldest] = this.watched.keys();
    if (this.watched.size >= MAX_JOBS && oldest !== undefined) this.release(oldest);
    const job = this.jobs.acquire(id);
    const subscription = job.onDidChange((change) => this.changed(id, change));
    this.watched.set(id, { job, subscription, under: new Set() });
    if (job.state) this.changed(id, { kind: "snapshot" });
  }

  private changed(id: string, change: JobChange): void {
    const watched = this.watched.get(id);
    if (!watched) return;
    const { state } = watched.job;
    if (change.kind === "rows") this.rows(watched, change.rows, true);
    else if (state) this.rows(watched, state.rows.values(), false);
    if (change.kind === "lost" || state?.summary.finished) this.release(id);
    this.tellSoon();
  }

  /** `live`: what ends now has not ended before. */
  private rows({ under }: Watched, rows: Iterable<ResultRow>, live: boolean): void {
    for (const row of rows) {
      const place = this.index.placeOf(row);
      if (place === undefined || place < 0 || row.kind === "waiting") continue;
      if (row.kind === "running") {
        under.add(place);
        continue;
      }
      under.delete(place);
      if (live && this.ended.length < MAX_ENDED) {
        this.ended.push({ place, well: row.kind === "succeeded" });
      }
    }
  }

  private tellSoon(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      const under = [...this.watched.values()].flatMap((watched) => [...watched.under]);
      this.tell(under, this.ended);
      this.ended = [];
    }, TELL_MS);
  }

  private release(id: string): void {
    const watched = this.watched.get(id);
    if (!watched) return;
    this.watched.delete(id);
    watched.subscription.dispose();
    this.jobs.release(watched.job);
  }
}
