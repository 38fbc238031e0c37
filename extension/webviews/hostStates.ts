import type { MapNodeState } from "../../server/protocol/delegation";
import type { MinionRecord } from "../../server/protocol/minions";
import { plainProblem } from "../results/plainProblem";
import type { MapIndex } from "./mapIndex";
import type { HostState } from "./mapProtocol";

/** How the hosts of a map stand: what its overlord has seen, and what sub-overlords say of their minions. */
export class HostStates {
  private readonly told = new Map<number, string>();
  private seen = new Map<number, MapNodeState>();
  private readonly records = new Map<number, MinionRecord>();

  constructor(private readonly index: MapIndex) {}

  /** What `map/states` answers. */
  takeSeen(states: readonly MapNodeState[]): void {
    this.seen = new Map(
      states.flatMap((state) => {
        const place = this.index.find(state.path);
        return place === undefined ? [] : [[place, state] as const];
      }),
    );
  }

  /** What the overlord at `path` (this one for an empty path) has in its inventory. */
  takeRecords(path: readonly string[], records: readonly MinionRecord[]): void {
    for (const record of records) {
      const place = this.index.find([...path, record.name]);
      if (place !== undefined) this.records.set(place, record);
    }
  }

  /** Those that differ from what was told before. */
  news(): HostState[] {
    const news: HostState[] = [];
    for (let place = 1; place < this.index.names.length; place++) {
      if (!this.seen.has(place) && !this.records.has(place)) continue;
      const state = this.stateOf(place);
      const text = JSON.stringify(state);
      if (this.told.get(place) === text) continue;
      this.told.set(place, text);
      news.push(state);
    }
    return news;
  }

  private stateOf(place: number): HostState {
    const seen = this.seen.get(place);
    const record = this.records.get(place);
    // whoever has heard of the host last knows best
    const isNewer = (record?.lastSeenMs ?? 0) > (seen?.lastSeenMs ?? 0);
    const best =
      record && record.state !== "unknown" && (isNewer || !seen || seen.state === "unknown")
        ? record
        : (seen ?? record);
    const problem = best?.state === "unreachable" ? best.problem : undefined;
    const lastSeenMs = Math.max(seen?.lastSeenMs ?? 0, record?.lastSeenMs ?? 0);
    return {
      place,
      kind: best?.state ?? "unknown",
      ...(problem !== undefined && { problem: plainProblem(problem) }),
      ...(lastSeenMs > 0 && { lastSeenMs }),
      ...(record && { certificateEndMs: record.certificateNotAfterMs }),
      running: seen?.running ?? 0,
    };
  }
}
