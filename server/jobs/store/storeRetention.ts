import { LEAST_KEEP_MS, planRetention } from "./retention";
import type { StoreDatabases } from "./storeDatabases";
import type { StoreLimits } from "./workerProtocol";

/** In an hour at most this part of the jobs goes for its age, so that a clock that jumps ahead takes few. */
const AGED_PART = 10;
const LEAST_AGED = 100;

/** Tells real time, which a clock that is set does not change. */
type Elapsed = () => number;

/** Lets go of jobs beyond the limits. */
export class StoreRetention {
  private agedThisHour = 0;
  private hourBeganMs: number;

  constructor(
    private readonly databases: StoreDatabases,
    private readonly limits: StoreLimits,
    private readonly elapsed: Elapsed = () => performance.now(),
  ) {
    this.hourBeganMs = elapsed();
  }

  /** Forgets them in memory: the next checkpoint removes them from the disk. Gives their ids. */
  run(nowMs: number): string[] {
    const { databases } = this;
    const sawEnd = this.endsSeen();
    databases.settle();
    const { index } = databases;
    const sizes = databases.days.sizes();
    const jobsOfDay = index.jobsByDay();
    const { aged, beyond } = planRetention(
      {
        nowMs,
        finished: index.finishedJobs(),
        jobs: index.jobCount,
        bytes: [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0),
        bytesOf: ({ day }) => (sizes.get(day) ?? 0) / (jobsOfDay.get(day) ?? 1),
        sawEnd: (id) => sawEnd.has(id),
        ageBudget: this.ageBudget(index.jobCount),
      },
      this.limits,
    );
    this.agedThisHour += aged.length;
    databases.delete([...aged, ...beyond]);
    return [...aged, ...beyond];
  }

  private endsSeen(): ReadonlyMap<string, number> {
    const { endsSeen } = this.databases;
    for (const [id, atMs] of endsSeen) {
      if (this.elapsed() - atMs >= LEAST_KEEP_MS) endsSeen.delete(id);
    }
    return endsSeen;
  }

  private ageBudget(jobs: number): number {
    if (this.elapsed() - this.hourBeganMs >= 60 * 60_000) {
      this.hourBeganMs = this.elapsed();
      this.agedThisHour = 0;
    }
    return Math.max(LEAST_AGED, Math.ceil(jobs / AGED_PART)) - this.agedThisHour;
  }
}
