import type { Disposable } from "vscode";
import type { JobProgress } from "../../server/protocol/jobs";
import type { MethodRisk } from "../../server/protocol/methods";
import type { StartCallParams } from "../../server/protocol/requests";
import type { OverlordSession } from "../overlordSession";
import { TrackedJob } from "./trackedJob";

/** Calls of this window that can be made again with the same arguments. */
const MAX_REMEMBERED = 100;

/** A call of this window, to be made again. */
export interface StartedCall {
  params: StartCallParams;
  risk: MethodRisk | undefined;
}

/** The jobs that this window displays or waits for, kept current from the overlord's progress. */
export class JobTracker implements Disposable {
  private readonly open = new Map<string, { job: TrackedJob; users: number }>();
  /** Only in memory: arguments may be secret. */
  private readonly started = new Map<string, StartedCall>();
  private readonly disposables: Disposable[];

  constructor(private readonly session: OverlordSession) {
    this.disposables = [
      session.onJobProgress((progress) => this.take(progress)),
      // the overlord has the jobs of before, but does not know who watched them
      session.onDidRestart(() => this.watchAgain()),
    ];
  }

  /** Remembers a call of this window by its job. */
  remember(jobId: string, call: StartedCall): void {
    this.started.set(jobId, call);
    const [oldest] = this.started.keys();
    if (this.started.size > MAX_REMEMBERED && oldest !== undefined) this.started.delete(oldest);
  }

  /** What the job was started with, where this window did it. */
  startedWith(jobId: string): StartedCall | undefined {
    return this.started.get(jobId);
  }

  /** The job, kept current until released. */
  acquire(jobId: string): TrackedJob {
    const known = this.open.get(jobId);
    if (known) {
      known.users++;
      return known.job;
    }
    const job = new TrackedJob(jobId, this.session);
    this.open.set(jobId, { job, users: 1 });
    void job.watch();
    return job;
  }

  release(job: TrackedJob): void {
    const known = this.open.get(job.jobId);
    if (known?.job !== job) return;
    known.users--;
    if (known.users > 0) return;
    this.open.delete(job.jobId);
    job.dispose();
  }

  dispose(): void {
    for (const { job } of this.open.values()) job.dispose();
    this.open.clear();
    for (const disposable of this.disposables) disposable.dispose();
  }

  private take(progress: JobProgress): void {
    this.open.get(progress.summary.id)?.job.take(progress);
  }

  private watchAgain(): void {
    for (const { job } of this.open.values()) void job.watch();
  }
}
