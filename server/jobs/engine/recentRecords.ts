import type { JobRecord, JobStore } from "../store/storeTypes";

/** A job that is deleted counts as there for so long. */
const KEPT_MS = 5_000;
const MAX_KEPT = 20;

/** The records of jobs that were read just now: one of ten thousand minions takes milliseconds, here and in the store. */
export class RecentRecords {
  /** Oldest first. */
  private readonly kept = new Map<string, { record: Promise<JobRecord | undefined>; at: number }>();

  constructor(private readonly store: Pick<JobStore, "record">) {}

  /** Undefined for a job that was deleted. Rejects as the store does. */
  read(jobId: string): Promise<JobRecord | undefined> {
    const now = performance.now();
    const known = this.kept.get(jobId);
    if (known && now - known.at < KEPT_MS) return known.record;
    const record = this.store.record(jobId);
    this.kept.delete(jobId);
    this.kept.set(jobId, { record, at: now });
    for (const [id, { at }] of this.kept) {
      if (this.kept.size <= MAX_KEPT && now - at < KEPT_MS) break;
      this.kept.delete(id);
    }
    record.catch(() => {
      if (this.kept.get(jobId)?.record === record) this.kept.delete(jobId);
    });
    return record;
  }
}
