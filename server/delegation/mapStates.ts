import type { Job } from "../jobs/job";
import type { MapNodeState } from "../protocol/delegation";
import { FINAL_STATES, type MinionResult } from "../protocol/jobs";
import type { MinionRecord } from "../protocol/minions";
import { nameKey } from "./delegationMap";

/** Hosts that are remembered; of more, those go that were heard of longest ago. */
const MAX_HOSTS = 100_000;

type Seen = Omit<MapNodeState, "running">;

/**
 * What results of delegated calls have shown of hosts behind sub-overlords: whether each answered, and when. In
 * memory only: who wants to know more calls them.
 */
export class MapStates {
  private readonly seen = new Map<string, Seen>();
  private readonly followed = new WeakSet<Job>();

  constructor(private readonly most = MAX_HOSTS) {}

  /** Takes what the job's results show from now on; a second time is none. */
  follow(job: Job): void {
    if (this.followed.has(job)) return;
    this.followed.add(job);
    job.onProgress(({ results }) => {
      for (const result of results) this.take(result, Date.now());
    });
  }

  /** `atMs`: when the result came. */
  take(result: MinionResult, atMs: number): void {
    const { via = [] } = result;
    const path = pathOf(result);
    if (!path || via.length === 0) return;
    const shown = whatItShows(result);
    if (shown === undefined) return;
    const before = this.seen.get(keyOf(path));
    const lastSeenMs = shown.state === "online" ? atMs : before?.lastSeenMs;
    this.put({ path, ...shown, ...(lastSeenMs !== undefined && { lastSeenMs }) });
    // an answer came through each of the overlords above, of which this one's own minions are in its inventory
    if (shown.state !== "online") return;
    for (let hops = 2; hops < path.length; hops++) {
      this.put({ path: path.slice(0, hops), state: "online", lastSeenMs: atMs });
    }
  }

  /** All hosts that were seen, and this overlord's own minions; `running`: the jobs that are not over yet. */
  list(own: readonly MinionRecord[], running: readonly Job[]): MapNodeState[] {
    const counts = runningOn(running);
    const states: MapNodeState[] = own.map(({ name, state, problem, lastSeenMs }) => ({
      path: [name],
      state,
      ...(problem !== undefined && { problem }),
      ...(lastSeenMs !== undefined && { lastSeenMs }),
      running: counts.get(keyOf([name]))?.jobs.size ?? 0,
    }));
    for (const [key, seen] of this.seen) {
      states.push({ ...seen, running: counts.get(key)?.jobs.size ?? 0 });
    }
    const told = new Set(states.map(({ path }) => keyOf(path)));
    for (const [key, { path, jobs }] of counts) {
      if (!told.has(key)) states.push({ path, state: "unknown", running: jobs.size });
    }
    return states;
  }

  private put(seen: Seen): void {
    const key = keyOf(seen.path);
    this.seen.delete(key);
    this.seen.set(key, seen);
    const [oldest] = this.seen.keys();
    if (this.seen.size > this.most && oldest !== undefined) this.seen.delete(oldest);
  }
}

/** What a result says of the host itself; undefined where it says nothing. */
function whatItShows({
  state,
  error,
  signed,
}: MinionResult): Pick<Seen, "state" | "problem"> | undefined {
  switch (state) {
    case "running":
    case "succeeded":
    case "denied":
      return { state: "online" };
    case "failed":
      // where no host has answered, an overlord on the way says why
      return signed === undefined ? undefined : { state: "online" };
    case "unreachable":
    case "expired":
      return { state: "unreachable", ...(error && { problem: error.message }) };
    default:
      return undefined;
  }
}

/** The jobs that run on each host, or on hosts behind it. */
function runningOn(
  jobs: readonly Job[],
): ReadonlyMap<string, { path: string[]; jobs: Set<string> }> {
  const counts = new Map<string, { path: string[]; jobs: Set<string> }>();
  for (const job of jobs) {
    if (job.isBackground) continue;
    for (const { result } of job.listEntries()) {
      if (FINAL_STATES.has(result.state) || result.state === "queued") continue;
      const path = pathOf(result) ?? [];
      for (let hops = 1; hops <= path.length; hops++) {
        const part = path.slice(0, hops);
        const known = counts.get(keyOf(part)) ?? { path: part, jobs: new Set<string>() };
        counts.set(keyOf(part), known);
        known.jobs.add(job.id);
      }
    }
  }
  return counts;
}

/** A name that several hosts have is written "web1@mid1", or "web1@mid1/mid3". */
function pathOf({ minion, via = [] }: MinionResult): string[] | undefined {
  const suffixes = via.length === 0 ? [] : [`@${via.at(-1) ?? ""}`, `@${via.join("/")}`];
  const suffix = suffixes.find((one) => nameKey(minion).endsWith(nameKey(one))) ?? "";
  const name = minion.slice(0, minion.length - suffix.length);
  return name === "" ? undefined : [...via, name];
}

function keyOf(path: readonly string[]): string {
  return path.map(nameKey).join("\n");
}
