/** The whole map, whatever of it shows. Hosts are places in the lists; 0 is this overlord. */
export class MapTree {
  /** In the order of the map. */
  readonly children: readonly (readonly number[])[];
  /** 0 for this overlord. */
  readonly depths: readonly number[];
  /** How many hosts stand behind each, to any depth. */
  readonly below: readonly number[];
  /** How many hosts stand one behind the other at most, this overlord left out. */
  readonly tiers: number;

  constructor(
    readonly names: readonly string[],
    readonly parents: readonly number[],
  ) {
    const children: number[][] = names.map(() => []);
    const depths: number[] = names.map(() => 0);
    const below: number[] = names.map(() => 0);
    let tiers = 0;
    for (let place = 1; place < names.length; place++) {
      const parent = this.parentOf(place);
      children[parent]?.push(place);
      const depth = (depths[parent] ?? 0) + 1;
      depths[place] = depth;
      tiers = Math.max(tiers, depth);
    }
    // those behind a host come after it
    for (let place = names.length - 1; place > 0; place--) {
      const parent = this.parentOf(place);
      below[parent] = (below[parent] ?? 0) + (below[place] ?? 0) + 1;
    }
    this.children = children;
    this.depths = depths;
    this.below = below;
    this.tiers = tiers;
  }

  /** Hosts, this overlord left out. */
  get size(): number {
    return Math.max(0, this.names.length - 1);
  }

  nameOf(place: number): string {
    return this.names[place] ?? "";
  }

  /** -1 for this overlord. */
  parentOf(place: number): number {
    return this.parents[place] ?? -1;
  }

  childrenOf(place: number): readonly number[] {
    return this.children[place] ?? [];
  }

  depthOf(place: number): number {
    return this.depths[place] ?? 0;
  }

  behind(place: number): number {
    return this.below[place] ?? 0;
  }

  isOverlord(place: number): boolean {
    return this.childrenOf(place).length > 0;
  }

  /** The places from this overlord to the host, both included. */
  wayTo(place: number): number[] {
    const way: number[] = [];
    for (let at = place; at >= 0; at = this.parentOf(at)) way.unshift(at);
    return way;
  }

  /** The names from the first host on; empty for this overlord. */
  pathOf(place: number): string[] {
    return this.wayTo(place)
      .slice(1)
      .map((at) => this.nameOf(at));
  }

  /** The host at these names; undefined where the map does not have it. */
  find(path: readonly string[]): number | undefined {
    let at = 0;
    for (const name of path) {
      const next = this.childrenOf(at).find((child) => this.nameOf(child) === name);
      if (next === undefined) return undefined;
      at = next;
    }
    return at;
  }

  /**
   * The hosts that a call goes through, by their names: each as it stands below the one before, or where the map
   * has it first.
   */
  findHops(hops: readonly string[]): number[] {
    const found: number[] = [0];
    for (const name of hops) {
      const key = name.toLowerCase();
      const isIt = (place: number): boolean => this.nameOf(place).toLowerCase() === key;
      const next =
        this.childrenOf(found.at(-1) ?? 0).find(isIt) ??
        this.names.findIndex((_, place) => place > 0 && isIt(place));
      if (next > 0) found.push(next);
    }
    return found;
  }
}
