import { FuncError } from "../common/errors";
import type { JobHistoryEvent, JobPage, JobQuery, MinionResult } from "../protocol/jobs";
import type { StartCallParams } from "../protocol/requests";
import { notInJob, type Job } from "./job";
import { entryOf, shownPage } from "./jobEntry";
import type { JobRegistry } from "./jobRegistry";
import type { OutputFiles } from "./outputs/outputFiles";
import { StoredJob } from "./storedJob";
import type { JobStore } from "./store/storeTypes";

/** All jobs that are known: those in memory and those of the store, to look at and to forget. */
export class JobArchive {
  constructor(
    private readonly jobs: JobRegistry,
    private readonly store: JobStore,
    private readonly outputs: OutputFiles,
    /** Jobs are not kept any more. */
    private readonly onRemoved: (jobIds: readonly string[]) => void,
  ) {
    store.onForgotten((jobIds) => {
      this.forget(jobIds);
    });
    outputs.onFull(() => this.forgetOldest());
  }

  async find(jobId: string): Promise<Job | StoredJob | undefined> {
    const live = this.jobs.find(jobId);
    if (live) return live;
    const stored = await this.store.find(jobId);
    // it may have been called again meanwhile
    return this.jobs.find(jobId) ?? (stored && new StoredJob(this.store, stored));
  }

  /** Throws FuncError "not-found". */
  async get(jobId: string): Promise<Job | StoredJob> {
    const job = await this.find(jobId);
    if (job) return job;
    throw new FuncError(
      "not-found",
      `There is no job "${jobId.slice(0, 200)}".`,
      "Jobs are kept for as long as overlord.yaml says (jobs: keep_days), at least an hour after their end.",
    );
  }

  /** Newest first, as they stand at this moment. Throws FuncError "bad-argument" for a wrong cursor. */
  async list(query: JobQuery, limit: number, cursor?: string): Promise<JobPage> {
    const page = await this.store.list(query, limit, cursor);
    const jobs = page.jobs.map((job) => {
      const live = this.jobs.find(job.id);
      return live ? live.summary({ whole: false }) : job;
    });
    return { ...page, jobs };
  }

  /** What the job was started with. Throws FuncError "not-found", "unavailable" for secret arguments. */
  async call(jobId: string): Promise<StartCallParams> {
    const { id } = await this.get(jobId);
    const record = await this.store.record(id);
    if (record?.args === undefined) {
      throw new FuncError(
        "unavailable",
        `The arguments of job ${id.slice(0, 200)} are not kept: a part of them is secret.`,
        "Call the method again with its arguments.",
      );
    }
    const { spec, exclude, module, method, args, async, nforks, keepPlaces } = record;
    const { timeoutMs, deliveryLimitMs, batch, maxErrors, delegate, mapFile } = record;
    return {
      spec,
      ...(exclude !== undefined && { exclude }),
      module,
      method,
      args,
      async,
      ...(keepPlaces && { nforks }),
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...(deliveryLimitMs !== undefined && { deliveryLimitMs }),
      ...(delegate && { delegate }),
      ...(mapFile !== undefined && { mapFile }),
      ...(batch && { batch }),
      ...(maxErrors !== undefined && { maxErrors }),
    };
  }

  async history(
    jobId: string,
    from: number,
    limit: number,
  ): Promise<{ events: JobHistoryEvent[]; total: number }> {
    const { id } = await this.get(jobId);
    return this.store.history(id, from, limit);
  }

  /** All results of one minion, oldest attempt first. Throws FuncError "not-found". */
  async attempts(jobId: string, minion: string): Promise<MinionResult[]> {
    const job = await this.get(jobId);
    const name = minion.toLowerCase();
    const kept = (await this.store.attempts(job.id, name)).map((result) => entryOf(result));
    const live = this.jobs.find(job.id)?.entry(name);
    if (live) {
      const attempt = live.result.attempt ?? 1;
      const earlier = kept.filter(({ result }) => (result.attempt ?? 1) < attempt);
      return shownPage([...earlier, live]);
    }
    if (kept.length === 0) throw notInJob(minion, job.id);
    return shownPage(kept);
  }

  /** Forgets finished jobs; those that are unknown are gone already. Throws FuncError "conflict" naming one that runs. */
  async delete(jobIds: readonly string[]): Promise<string[]> {
    const claimed: string[] = [];
    try {
      const deleted: string[] = [];
      for (const jobId of new Set(jobIds)) {
        this.jobs.claim(jobId);
        claimed.push(jobId);
        if (await this.isFinished(jobId)) deleted.push(jobId);
      }
      await this.store.append(deleted.map((jobId) => ({ kind: "deleted", jobId })));
      this.forget(deleted);
      return deleted;
    } finally {
      for (const jobId of claimed) this.jobs.release(jobId);
    }
  }

  /** False where it is unknown. Throws FuncError "conflict" where it runs. */
  private async isFinished(jobId: string): Promise<boolean> {
    const job = await this.find(jobId);
    if (!job || job.summary().finished) return job !== undefined;
    throw new FuncError(
      "conflict",
      `The job ${jobId.slice(0, 200)} runs; nothing was deleted.`,
      "Cancel it, or wait until it has finished.",
    );
  }

  /** Of those that have outputs in files. False where each of them runs. */
  private forgetOldest(): boolean {
    for (const jobId of this.outputs.holders()) {
      if (this.jobs.isClaimed(jobId) || this.jobs.find(jobId)?.finished === false) continue;
      this.store.note([{ kind: "deleted", jobId }]);
      this.forget([jobId]);
      return true;
    }
    return false;
  }

  /** The store does not have them any more. */
  private forget(jobIds: readonly string[]): void {
    for (const jobId of jobIds) {
      const live = this.jobs.find(jobId);
      if (live) this.jobs.drop(live);
      this.outputs.release(jobId);
    }
    this.onRemoved(jobIds);
  }
}
