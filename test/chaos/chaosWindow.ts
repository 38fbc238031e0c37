import { setTimeout as sleep } from "node:timers/promises";
import { connectOverlord, type OverlordConnection } from "../../server/client/connection";
import type { OverlordTarget } from "../../server/client/stopOverlord";
import { FuncError } from "../../server/common/errors";
import type { JobProgress, JobSummary } from "../../server/protocol/jobs";
import type { OverlordRequests, StartCallParams } from "../../server/protocol/requests";
import { Acknowledged } from "./acknowledged";

/** An overlord that has been killed is there again long before. */
const RECONNECT_LIMIT_MS = 300_000;
const PAUSE_MS = 100;
const MAX_REFUSALS = 10;
const ASK_AFTER_MS = 10_000;

interface Watched {
  notedAtMs: number;
  heardAtMs: number;
  /** Of what was told last, be it an answer or not. */
  seq?: number;
  /** What is said of earlier attempts says nothing of how the job stands. */
  leastAttempt: number;
  summary?: JobSummary;
  wake: () => void;
}

export interface ChaosWindowOptions {
  open?: (target: OverlordTarget) => Promise<OverlordConnection>;
  /** Silence after which it asks how its jobs stand. */
  askAfterMs?: number;
}

/** A window, or a script: it watches its jobs whatever happens to the overlord, and notes all that it is told. */
export class ChaosWindow {
  readonly acknowledged: Acknowledged;
  /** Ends that were found by asking only, although the connection had never failed, with what was known before. */
  readonly untold: string[] = [];
  #connection?: Promise<OverlordConnection>;
  #connectedAtMs = 0;
  readonly #watched = new Map<string, Watched>();
  /** The answer to a start comes after its line in the audit log: a short job may have ended before. */
  readonly #early = new Map<string, JobProgress>();
  #starting = 0;
  readonly #open: (target: OverlordTarget) => Promise<OverlordConnection>;
  readonly #askAfterMs: number;
  #closed = false;

  constructor(
    private readonly name: string,
    private readonly target: OverlordTarget,
    private readonly isRunning: () => boolean,
    { open = connectOverlord, askAfterMs = ASK_AFTER_MS }: ChaosWindowOptions = {},
  ) {
    this.acknowledged = new Acknowledged(name);
    this.#open = open;
    this.#askAfterMs = askAfterMs;
  }

  /** The overlord's process, where there is a connection to it. */
  async overlordPid(): Promise<number | undefined> {
    return (await this.#connection?.catch(() => undefined))?.hello.pid;
  }

  /** Asks again for as long as it takes: only for what may be asked twice. */
  async request<M extends keyof OverlordRequests>(
    method: M,
    params: OverlordRequests[M]["params"],
  ): Promise<OverlordRequests[M]["result"]> {
    for (let refusals = 0; ;) {
      const connecting = this.#connect();
      try {
        return await (await connecting).request(method, params);
      } catch (error) {
        // refused by an overlord that is there
        if (connecting === this.#connection) refusals++;
        if (!isAway(error) || this.#closed || refusals > MAX_REFUSALS) throw error;
        await sleep(PAUSE_MS);
      }
    }
  }

  /**
   * Starts a job and watches it; gives its id. Where the answer was lost, looks for `token` among the jobs;
   * undefined where there is none.
   */
  async start(params: StartCallParams, token: string): Promise<string | undefined> {
    const connection = await this.#connect();
    this.#starting++;
    try {
      const { id } = await connection.request("calls/start", params);
      this.#note(id);
      const early = this.#early.get(id);
      if (early) this.#take(early);
      return id;
    } catch (error) {
      if (!isAway(error)) throw error;
    } finally {
      this.#starting--;
      if (this.#starting === 0) this.#early.clear();
    }
    // `text` looks at parts of jobs as they are shown
    const { jobs } = await this.request("jobs/list", { text: `${token};`, limit: 10 });
    const found = jobs.find(({ argsText }) => argsText.includes(`${token};`));
    if (found) await this.watch(found.id);
    return found?.id;
  }

  async watch(jobId: string): Promise<void> {
    this.#note(jobId);
    this.#take(await this.request("jobs/watch", { jobId }));
  }

  /** The job runs again: its last end no longer counts. */
  async watchAnew(jobId: string, attempt: number): Promise<void> {
    this.#watched.delete(jobId);
    this.#note(jobId, attempt);
    await this.watch(jobId);
  }

  /** Settles once this window was told that the job has finished. */
  async finished(jobId: string): Promise<JobSummary> {
    const watched = this.#note(jobId);
    for (;;) {
      if (watched.summary?.finished) return watched.summary;
      if (!this.isRunning()) throw new Error(`${jobId} did not finish in time`);
      const before = watched.heardAtMs;
      await Promise.race([new Promise<void>((resolve) => (watched.wake = resolve)), sleep(1_000)]);
      if (watched.heardAtMs === before && Date.now() - before > this.#askAfterMs) {
        await this.#askAbout(jobId, watched);
      }
    }
  }

  /** What a job left behind in this window is no longer needed. */
  unwatch(jobId: string): void {
    this.#watched.delete(jobId);
    void this.#connection
      ?.then((connection) => connection.request("jobs/unwatch", { jobId }))
      .catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#closed = true;
    (await this.#connection?.catch(() => undefined))?.dispose();
  }

  async #askAbout(jobId: string, watched: Watched): Promise<void> {
    const askedAt = Date.now();
    const since = this.#connectedAtMs;
    const snapshot = await this.request("jobs/watch", { jobId });
    const quiet = since === this.#connectedAtMs && since < watched.heardAtMs;
    const { finished, finishedAtMs = askedAt } = snapshot.summary;
    const late = finished && askedAt - finishedAtMs > this.#askAfterMs / 2;
    // what was told comes before the answer, however busy both ends are
    if (quiet && late && !watched.summary?.finished) {
      this.untold.push(
        `${jobId}: its end was not told to ${this.name}: ${knownOf(watched, since, snapshot, askedAt)}`,
      );
    }
    this.#take(snapshot);
  }

  #note(jobId: string, leastAttempt = 1): Watched {
    const now = Date.now();
    const fresh = { notedAtMs: now, heardAtMs: now, leastAttempt, wake: () => undefined };
    const known = this.#watched.get(jobId) ?? fresh;
    this.#watched.set(jobId, known);
    return known;
  }

  #take(progress: JobProgress): void {
    this.acknowledged.take(progress);
    const { seq, summary } = progress;
    const watched = this.#watched.get(summary.id);
    if (!watched && this.#starting > 0) this.#early.set(summary.id, progress);
    if (!watched || (summary.attempts ?? 1) < watched.leastAttempt) return;
    watched.heardAtMs = Date.now();
    watched.seq = seq;
    // a snapshot may come after news that are newer
    if (!watched.summary?.finished) watched.summary = summary;
    watched.wake();
  }

  #connect(): Promise<OverlordConnection> {
    return (this.#connection ??= this.#newConnection());
  }

  async #newConnection(): Promise<OverlordConnection> {
    const deadline = Date.now() + RECONNECT_LIMIT_MS;
    for (;;) {
      try {
        const connection = await this.#open(this.target);
        connection.on("jobs/progress", (progress) => {
          this.#take(progress);
        });
        connection.onClose(() => {
          this.#connection = undefined;
          if (!this.#closed) void this.#again();
        });
        this.#connectedAtMs = Date.now();
        return connection;
      } catch (error) {
        if (Date.now() > deadline || this.#closed) {
          this.#connection = undefined;
          throw error;
        }
        await sleep(PAUSE_MS);
      }
    }
  }

  /** The overlord went away: watches all that still runs in the next one. */
  async #again(): Promise<void> {
    const running = [...this.#watched].filter(([, { summary }]) => !summary?.finished);
    await Promise.all(
      running.map(async ([jobId]) => {
        const snapshot = await this.request("jobs/watch", { jobId }).catch(() => undefined);
        if (snapshot) this.#take(snapshot);
      }),
    );
  }
}

function isAway(error: unknown): boolean {
  return error instanceof FuncError && ["unavailable", "timed-out"].includes(error.reason);
}

/** What a window knew of a job that had ended, in milliseconds before it asked, and what the answer says. */
function knownOf(watched: Watched, connectedAtMs: number, now: JobProgress, atMs: number): string {
  const { notedAtMs, heardAtMs, seq, summary } = watched;
  const known = {
    connected: atMs - connectedAtMs,
    noted: atMs - notedAtMs,
    heard: atMs - heardAtMs,
    ended: atMs - (now.summary.finishedAtMs ?? atMs),
    seq,
    attempts: summary?.attempts,
    counts: summary?.counts,
    now: { seq: now.seq, attempts: now.summary.attempts, counts: now.summary.counts },
  };
  return JSON.stringify(known);
}
