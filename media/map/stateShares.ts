import type { HostKind, HostState } from "../../extension/webviews/mapProtocol";
import type { LeafRun } from "./leafRuns";
import type { MapTree } from "./mapTree";

/** How many hosts stand how. */
export type Shares = Record<HostKind, number>;

/** A part of a block: so many pixels of it for the hosts of a kind. */
export interface Segment {
  kind: HostKind;
  top: number;
  height: number;
}

/** From the top of a block down. */
export const KINDS: readonly HostKind[] = ["online", "unreachable", "unknown"];

/** How the hosts of whole parts of the map stand; counted when it is asked for, until states change. */
export class StateShares {
  private readonly runs = new WeakMap<LeafRun, Shares>();
  private away: Uint32Array | undefined;

  constructor(
    private readonly tree: MapTree,
    private readonly stateOf: (place: number) => HostState,
  ) {}

  of(run: LeafRun): Shares {
    const counted = this.runs.get(run);
    if (counted) return counted;
    const shares: Shares = { online: 0, unreachable: 0, unknown: 0 };
    for (const place of run.places) shares[this.stateOf(place).kind]++;
    this.runs.set(run, shares);
    return shares;
  }

  /** Hosts behind this one, to any depth, that are unreachable. */
  unreachableBehind(place: number): number {
    this.away ??= this.countAway();
    return this.away[place] ?? 0;
  }

  private countAway(): Uint32Array {
    const { tree } = this;
    const away = new Uint32Array(tree.names.length);
    // those behind a host come after it
    for (let place = tree.names.length - 1; place > 0; place--) {
      const own = this.stateOf(place).kind === "unreachable" ? 1 : 0;
      const parent = tree.parentOf(place);
      away[parent] = (away[parent] ?? 0) + (away[place] ?? 0) + own;
    }
    return away;
  }
}

/** The parts of a block of this height. Of each kind that there is something shows, be it one host of thousands. */
export function segmentsOf(shares: Shares, height: number, least: number): Segment[] {
  const kinds = KINDS.filter((kind) => shares[kind] > 0);
  const total = kinds.reduce((sum, kind) => sum + shares[kind], 0);
  const room = height - kinds.length * Math.min(least, height / kinds.length);
  let top = 0;
  return kinds.map((kind) => {
    const part = (room * shares[kind]) / total + (height - room) / kinds.length;
    const segment = { kind, top, height: part };
    top += part;
    return segment;
  });
}
