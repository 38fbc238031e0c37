import type {
  HostKind,
  HostState,
  MapPanelState,
  ShownMap,
  ToMap,
} from "../../extension/webviews/mapProtocol";
import { CallTraffic } from "./callTraffic";
import { firstExpanded } from "./firstExpanded";
import { findHosts } from "./hostSearch";
import { MapTree } from "./mapTree";
import { StateShares } from "./stateShares";
import { TreeLayout } from "./treeLayout";

/** More opened hosts than these are not kept over a reload: VS Code stores the state. */
const MAX_KEPT = 500;

/** What the page shows: the map, how its hosts stand, and what the user looks at. */
export class MapModel {
  map: ShownMap | undefined;
  /** Why there is no map. */
  nothing: Extract<ToMap, { type: "noMap" }> | undefined;
  tree = new MapTree([], []);
  layout = new TreeLayout(this.tree, new Set());
  readonly traffic = new CallTraffic();
  /** Hosts whose minions show. */
  expanded = new Set<number>();
  selected = 0;
  /** The places that a call to the selected host goes through, from this overlord on. */
  callPath: readonly number[] = [];
  query = "";
  /** Hosts that fit the query, in the map's order. */
  hits: readonly number[] = [];
  /** Whether the list shows beside the drawing. */
  list = false;
  shares = this.newShares();
  private version = -1;
  private states = new Map<number, HostState>();
  private counts = new Map<HostKind, number>();
  private busy = 0;
  private before: MapPanelState | undefined;
  private asAtFirst = true;

  /** What an earlier life of this page left. */
  restore(state: MapPanelState | undefined): void {
    this.before = state;
    this.query = state?.query ?? "";
    this.list = state?.list ?? false;
  }

  /** What the next life of this page needs. */
  keep(): MapPanelState {
    const { tree } = this;
    if (!this.map) return this.before ?? { version: 1, list: this.list };
    const expanded = [...this.expanded].filter((place) => place > 0).slice(0, MAX_KEPT);
    return {
      version: 1,
      ...(this.selected > 0 && { selected: tree.pathOf(this.selected) }),
      ...(!this.asAtFirst && { expanded: expanded.map((place) => tree.pathOf(place)) }),
      query: this.query,
      list: this.list,
    };
  }

  /** Takes a new map; what shows stays as far as the map still has it. */
  takeMap(version: number, map: ShownMap): void {
    const kept = this.map ? this.keep() : (this.before ?? { version: 1 });
    this.before = undefined;
    this.nothing = undefined;
    this.map = map;
    this.version = version;
    this.tree = new MapTree(map.names, map.parents);
    this.states = new Map();
    this.traffic.clear();
    const places = kept.expanded?.flatMap((path) => this.tree.find(path) ?? []);
    this.asAtFirst = places === undefined;
    this.expanded = places ? new Set([0, ...places]) : firstExpanded(this.tree);
    this.selected = this.tree.find(kept.selected ?? []) ?? 0;
    this.callPath = this.tree.wayTo(this.selected);
    this.count();
    this.arrange();
    this.search(this.query);
  }

  takeNothing(message: Extract<ToMap, { type: "noMap" }>): void {
    if (this.map) this.before = this.keep();
    this.map = undefined;
    this.nothing = message;
    this.tree = new MapTree([], []);
    this.traffic.clear();
    this.arrange();
  }

  takeStates(version: number, states: readonly HostState[]): void {
    if (version !== this.version) return;
    for (const state of states) this.states.set(state.place, state);
    this.count();
  }

  isOf(version: number): boolean {
    return version === this.version;
  }

  stateOf(place: number): HostState {
    return this.states.get(place) ?? { place, kind: "unknown", running: 0 };
  }

  /** Hosts of a kind. */
  countOf(kind: HostKind): number {
    return this.counts.get(kind) ?? 0;
  }

  /** Hosts on which a job runs. */
  get running(): number {
    return this.busy;
  }

  toggle(place: number): void {
    this.expand(place, !this.expanded.has(place));
  }

  expand(place: number, expanded: boolean): void {
    if (!this.tree.isOverlord(place) || place === 0) return;
    this.asAtFirst = false;
    if (expanded) this.expanded.add(place);
    else this.expanded.delete(place);
    if (!expanded && this.tree.wayTo(this.selected).includes(place)) this.select(place);
    this.arrange();
  }

  expandAll(): void {
    this.asAtFirst = false;
    this.expanded = new Set(this.tree.names.keys());
    this.arrange();
  }

  collapseAll(): void {
    this.asAtFirst = false;
    this.expanded = new Set([0]);
    this.select(this.layoutOf(this.selected));
    this.arrange();
  }

  select(place: number): void {
    this.selected = place;
    this.callPath = this.tree.wayTo(place);
  }

  /** Selects a host and opens those above it, so that it shows. */
  reveal(place: number): void {
    const above = this.tree.wayTo(place).slice(0, -1);
    if (above.some((at) => !this.expanded.has(at))) {
      this.asAtFirst = false;
      for (const at of above) this.expanded.add(at);
      this.arrange();
    }
    this.select(place);
  }

  search(query: string): void {
    this.query = query;
    this.hits = findHosts(this.tree, query);
  }

  private layoutOf(place: number): number {
    return this.tree.wayTo(place)[1] ?? 0;
  }

  private arrange(): void {
    this.layout = new TreeLayout(this.tree, this.expanded);
  }

  private newShares(): StateShares {
    return new StateShares(this.tree, (place) => this.stateOf(place));
  }

  private count(): void {
    this.shares = this.newShares();
    this.counts = new Map();
    this.busy = 0;
    for (let place = 1; place < this.tree.names.length; place++) {
      const { kind, running } = this.stateOf(place);
      this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
      if (running > 0 && !this.tree.isOverlord(place)) this.busy++;
    }
  }
}
