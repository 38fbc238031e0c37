import { setTimeout as sleep } from "node:timers/promises";
import type { Job } from "../jobs/job";
import type { JobEntry } from "../jobs/jobEntry";
import { callIdIn } from "../jobs/jobId";
import type { JobRecord } from "../jobs/store/storeTypes";
import { StoredJob } from "../jobs/storedJob";
import type { DelegatedProgress, DelegatedResult } from "../protocol/delegation";
import { FINAL_STATES, type MinionResult } from "../protocol/jobs";
import type { AboveJob } from "./aboveJobs";
import { ChangeLog } from "./changeLog";

/** Of JSON in one answer; one result alone may have more. */
const MAX_BYTES = 1_000_000;
const PAGE_ENTRIES = 200;
/** Least time between two answers that tell news, where so many minions are open: each costs every tier above. */
const LONGEST_GATHER_MS = 500;
/** So long the news that calls have begun waits for the next that ends. */
const BEGUN_MS = 1_000;
/** Epoch of cursors in a job of the store: what follows is a place in the job's order. */
const KEPT = "kept";

/** Tells overlords above how far their jobs are, from where each has come to. */
export class AboveProgress {
  readonly #logs = new WeakMap<Job, ChangeLog>();
  readonly #toldAtMs = new WeakMap<Job, number>();

  /** What has changed since the cursor; waits for news for `waitMs` at most. */
  async collect(
    { job, record, leaves }: AboveJob,
    { cursor, waitMs, signal }: { cursor: string; waitMs: number; signal: AbortSignal },
  ): Promise<DelegatedProgress> {
    if (job instanceof StoredJob) return kept(job, record, leaves, cursor);
    const log = this.logOf(job);
    const place = log.placeOf(cursor);
    if (!log.hasNews(place) && !job.finished) await log.wait(waitMs, signal);
    // not longer for what another reader is told meanwhile
    const untilMs = performance.now() + this.#restMs(job, BEGUN_MS);
    await this.#gather(job, signal);
    while (!log.hasEnd(place) && !job.finished && !signal.aborted) {
      const restMs = untilMs - performance.now();
      if (restMs <= 0) break;
      await log.wait(restMs, signal);
    }
    const answer = new Answer(record, leaves);
    let reached = place;
    let isAll = true;
    for (const { at, name } of log.since(place)) {
      if (!answer.add(job.entry(name))) {
        isAll = false;
        break;
      }
      reached = at;
    }
    const { results } = answer;
    // the rest of what has no room comes at once
    if (isAll) this.#toldAtMs.set(job, performance.now());
    else this.#toldAtMs.delete(job);
    return { cursor: log.cursorAt(reached), results, finished: job.finished && isAll };
  }

  /** What changes in a job, from its first reader on; all that is not just queued then counts as changed. */
  logOf(job: Job): ChangeLog {
    const known = this.#logs.get(job);
    if (known) return known;
    const log = new ChangeLog();
    this.#logs.set(job, log);
    job.onProgress(({ results }) => {
      for (const result of results) note(log, result);
      log.wake();
    });
    for (const { result } of job.listEntries()) {
      if (result.state !== "queued" || result.attempt !== undefined) note(log, result);
    }
    return log;
  }

  /** While many are open, answers wait for more to tell; the first one, and the last ones, do not. */
  async #gather(job: Job, signal: AbortSignal): Promise<void> {
    const restMs = this.#restMs(job, Math.min(job.open, LONGEST_GATHER_MS));
    if (restMs > 0) await sleep(restMs, undefined, { signal }).catch(() => undefined);
  }

  /** What is left of so long a time since the last answer that told all. */
  #restMs(job: Job, ms: number): number {
    return (this.#toldAtMs.get(job) ?? -Infinity) + ms - performance.now();
  }
}

function note(log: ChangeLog, { minion, state }: MinionResult): void {
  log.changed(minion, FINAL_STATES.has(state));
}

/** The results of one answer, as many as it has room for. */
class Answer {
  readonly results: DelegatedResult[] = [];
  #bytes = 0;

  constructor(
    private readonly record: JobRecord,
    private readonly leaves: ReadonlyMap<string, string>,
  ) {}

  /** False where it has no room for it. */
  add(entry: JobEntry): boolean {
    const result = this.#resultOf(entry);
    const bytes = Buffer.byteLength(JSON.stringify(result));
    if (this.results.length > 0 && this.#bytes + bytes > MAX_BYTES) return false;
    this.results.push(result);
    this.#bytes += bytes;
    return true;
  }

  #resultOf({ result, outputs, receipt }: JobEntry): DelegatedResult {
    const { minion: name, attempt, ...told } = result;
    // whether the host has signed it is for the asker to see
    delete told.signed;
    return {
      ...told,
      minion: this.leaves.get(name) ?? name,
      callId: callIdIn(this.record, name, attempt),
      ...(outputs.length > 0 && { outputs: [...outputs] }),
      ...(receipt && { receipt }),
    };
  }
}

/** A job of the store has ended, and does not change any more. */
async function kept(
  job: StoredJob,
  record: JobRecord,
  leaves: ReadonlyMap<string, string>,
  cursor: string,
): Promise<DelegatedProgress> {
  const [, from = "0"] = new RegExp(`^${KEPT}:(\\d{1,9})$`).exec(cursor) ?? [];
  const answer = new Answer(record, leaves);
  for (let place = Number(from); ;) {
    const page = await job.page(place, PAGE_ENTRIES);
    for (const entry of page) {
      if (!answer.add(entry)) return { ...told(answer, place), finished: false };
      place++;
    }
    if (page.length < PAGE_ENTRIES) return { ...told(answer, place), finished: true };
  }
}

function told({ results }: Answer, place: number): Omit<DelegatedProgress, "finished"> {
  return { cursor: `${KEPT}:${place}`, results };
}
