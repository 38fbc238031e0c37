import type { Job } from "../jobs/job";
import type { MapBuilding } from "../protocol/delegation";
import type { MinionRecord, MinionsChanged } from "../protocol/minions";
import type { JobOutput, JobProgress } from "../protocol/jobs";
import type { OverlordNotifications } from "../protocol/requests";
import { JobNews } from "./jobNews";
import type { Outbox } from "./outbox";

const MAX_AWAITED = 1_000;

type Send = <N extends keyof OverlordNotifications>(
  name: N,
  params: OverlordNotifications[N],
) => Promise<void>;

/**
 * What one client is told without asking. A client that does not read keeps nothing growing here: it
 * misses progress, sees the gap in `seq` by the headline that follows, and watches anew.
 */
export class ClientFeed {
  private readonly watched = new Map<string, { dispose(): void }>();
  private readonly missed = new Map<string, Job>();
  private readonly awaited = new Set<string>();
  private readonly changed = new Map<string, MinionRecord | undefined>();
  private groupsAreNew = false;
  private certmasterIsNew = false;
  private mapIsNew = false;
  private mapProgress: MapBuilding | undefined;
  private disposed = false;
  /** Once the client has asked for the list of jobs. */
  private jobNews: JobNews | undefined;
  private readonly leaving = new AbortController();

  constructor(
    private readonly outbox: Outbox,
    private readonly send: Send,
  ) {
    // answers and output may have kept back what is told from here
    outbox.onRoom(() => {
      this.catchUp();
    });
  }

  /** Aborted once the client has gone. */
  get gone(): AbortSignal {
    return this.leaving.signal;
  }

  /** Settles once the client is not behind. */
  room(): Promise<void> {
    return this.outbox.room();
  }

  /** Settles once it has left; rejects where the client has gone. */
  output(output: JobOutput): Promise<void> {
    return this.send("jobs/output", output);
  }

  watch(job: Job): void {
    if (this.disposed || this.watched.has(job.id) || job.finished) return;
    this.watched.set(
      job.id,
      job.onProgress((progress) => {
        this.progress(job, progress);
      }),
    );
  }

  /** The job has not ended, and is not taken up yet (`CallRunner.resume`): it is watched once it is. */
  watchOnceResumed(jobId: string): void {
    if (!this.disposed && this.awaited.size < MAX_AWAITED) this.awaited.add(jobId);
  }

  /** A job of an earlier process is taken up. */
  resumed(job: Job): void {
    if (this.awaited.delete(job.id)) this.watch(job);
  }

  unwatch(jobId: string): void {
    this.watched.get(jobId)?.dispose();
    this.watched.delete(jobId);
    this.missed.delete(jobId);
    this.awaited.delete(jobId);
  }

  /** From now on the client is told which jobs change. */
  listsJobs(): void {
    if (this.disposed) return;
    this.jobNews ??= new JobNews(
      () => !this.outbox.isBehind(),
      (news) => {
        this.deliver("jobs/changed", news);
      },
    );
  }

  jobChanged(job: Job): void {
    this.jobNews?.jobChanged(job);
  }

  jobsRemoved(jobIds: readonly string[]): void {
    this.jobNews?.jobsRemoved(jobIds);
  }

  /** Keeps one record per minion while the client is behind. */
  minionsChanged(changes: MinionsChanged): void {
    for (const record of changes.changed) this.changed.set(record.name, record);
    for (const name of changes.removed) this.changed.set(name, undefined);
    this.tellMinions();
  }

  /** Once, however often they change while the client is behind. */
  groupsChanged(): void {
    this.groupsAreNew = true;
    this.tellGroups();
  }

  /** Once, however often it changes while the client is behind. */
  certmasterChanged(): void {
    this.certmasterIsNew = true;
    this.tellCertmaster();
  }

  /** Once, however often it changes while the client is behind. */
  mapChanged(): void {
    this.mapIsNew = true;
    this.tellMap();
  }

  /** The last word counts while the client is behind. */
  mapBuilding(progress: MapBuilding): void {
    if (this.disposed) return;
    this.mapProgress = progress;
    this.tellMap();
  }

  dispose(): void {
    this.disposed = true;
    this.leaving.abort();
    this.groupsAreNew = false;
    this.certmasterIsNew = false;
    this.mapIsNew = false;
    this.mapProgress = undefined;
    for (const jobId of [...this.watched.keys()]) this.unwatch(jobId);
    this.changed.clear();
    this.missed.clear();
    this.awaited.clear();
    this.jobNews?.dispose();
  }

  private progress(job: Job, progress: JobProgress): void {
    if (progress.summary.finished) {
      this.watched.get(job.id)?.dispose();
      this.watched.delete(job.id);
    }
    if (this.outbox.isBehind()) this.missed.set(job.id, job);
    else this.deliver("jobs/progress", progress);
  }

  private tellMinions(): void {
    if (this.changed.size === 0 || this.outbox.isBehind()) return;
    const entries = [...this.changed];
    this.changed.clear();
    this.deliver("minions/changed", {
      changed: entries.flatMap(([, record]) => record ?? []),
      removed: entries.flatMap(([name, record]) => (record ? [] : [name])),
    });
  }

  private tellGroups(): void {
    if (!this.groupsAreNew || this.outbox.isBehind()) return;
    this.groupsAreNew = false;
    this.deliver("groups/changed", {});
  }

  private tellCertmaster(): void {
    if (!this.certmasterIsNew || this.outbox.isBehind()) return;
    this.certmasterIsNew = false;
    this.deliver("certmaster/changed", {});
  }

  private tellMap(): void {
    if (this.outbox.isBehind()) return;
    const { mapIsNew, mapProgress } = this;
    this.mapIsNew = false;
    this.mapProgress = undefined;
    if (mapProgress) this.deliver("map/building", mapProgress);
    if (mapIsNew) this.deliver("map/changed", {});
  }

  private deliver<N extends keyof OverlordNotifications>(
    name: N,
    params: OverlordNotifications[N],
  ): void {
    this.send(name, params).catch(() => {
      this.dispose(); // the connection has closed
    });
  }

  private catchUp(): void {
    if (this.disposed || this.outbox.isBehind()) return;
    this.tellMinions();
    this.tellGroups();
    this.tellCertmaster();
    this.tellMap();
    this.jobNews?.tell();
    for (const [jobId, job] of [...this.missed]) {
      if (this.outbox.isBehind()) return;
      this.missed.delete(jobId);
      this.deliver("jobs/progress", job.headline());
      // its end was among what was missed, and it runs again by now
      this.watch(job);
    }
  }
}
