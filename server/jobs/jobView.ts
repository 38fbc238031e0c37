import type { JobSummary } from "../protocol/jobs";
import type { JobEntry } from "./jobEntry";

/** A job to read in: one that is in memory, or one of the store. */
export interface JobView {
  readonly id: string;
  summary(): JobSummary;
  /** At most `most` minions as they stand, from place `from` in the job's order; fewer only at its end. */
  page(from: number, most?: number): JobEntry[] | Promise<JobEntry[]>;
  /** One minion as it stands. Throws FuncError "not-found". */
  entry(minion: string): JobEntry | Promise<JobEntry>;
}

/** So many entries are read from the store at a time. */
const PAGE_ENTRIES = 500;

/** All entries from place `from` on, a page at a time. */
export async function* entriesOf(view: JobView, from = 0): AsyncGenerator<JobEntry> {
  for (let at = from; ; at += PAGE_ENTRIES) {
    const page = await view.page(at, PAGE_ENTRIES);
    yield* page;
    if (page.length < PAGE_ENTRIES) return;
  }
}
