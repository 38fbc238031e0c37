import type { JobProgress, JobSummary } from "../protocol/jobs";
import { notInJob } from "./job";
import { entryOf, shownPage, type JobEntry } from "./jobEntry";
import type { JobView } from "./jobView";
import type { JobStore } from "./store/storeTypes";

/** So many results are asked of the store at a time. */
const PAGE_ENTRIES = 1_000;

/** A job that is answered about from the store alone. */
export class StoredJob implements JobView {
  constructor(
    private readonly store: JobStore,
    private readonly stored: JobSummary,
  ) {}

  get id(): string {
    return this.stored.id;
  }

  summary(): JobSummary {
    return this.stored;
  }

  async page(from: number, most = Infinity): Promise<JobEntry[]> {
    const entries: JobEntry[] = [];
    while (entries.length < most) {
      const limit = Math.min(PAGE_ENTRIES, most - entries.length);
      const results = await this.store.results(this.id, from + entries.length, limit);
      entries.push(...results.map((result) => entryOf(result)));
      if (results.length < limit) break;
    }
    return entries;
  }

  async entry(minion: string): Promise<JobEntry> {
    const last = (await this.store.attempts(this.id, minion.toLowerCase())).at(-1);
    if (!last) throw notInJob(minion, this.id);
    return entryOf(last);
  }

  /** As it stands for good: there is no progress to come. */
  async snapshot(most?: number): Promise<JobProgress> {
    const results = shownPage(await this.page(0, most));
    return { seq: 0, summary: this.stored, results };
  }
}
