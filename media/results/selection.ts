/** The minions that are ticked, and where a range begins. */
export class Selection {
  private names = new Set<string>();
  /** The item that the next range begins at. */
  private anchor: string | undefined;

  get size(): number {
    return this.names.size;
  }

  has(minion: string): boolean {
    return this.names.has(minion);
  }

  /** In the order in which they were ticked. */
  all(): readonly string[] {
    return [...this.names];
  }

  set(minions: Iterable<string>): void {
    this.names = new Set(minions);
  }

  clear(): void {
    this.names.clear();
    this.anchor = undefined;
  }

  /** Ticks all of `minions`, or none where all were ticked; a range begins at `item` then. */
  toggle(item: string, minions: readonly string[]): void {
    const ticked = minions.every((minion) => this.names.has(minion));
    for (const minion of minions) {
      if (ticked) this.names.delete(minion);
      else this.names.add(minion);
    }
    this.anchor = item;
  }

  /** Ticks everything from the anchor to `item` in `items`, whose minions `minionsOf` gives. */
  extend(
    item: string,
    items: readonly string[],
    minionsOf: (item: string) => Iterable<string>,
  ): void {
    const to = items.indexOf(item);
    const from = this.anchor === undefined ? to : items.indexOf(this.anchor);
    if (from < 0) this.anchor = item;
    const [first, last] = from < 0 || from > to ? [to, Math.max(from, to)] : [from, to];
    for (const between of items.slice(first, last + 1)) {
      for (const minion of minionsOf(between)) this.names.add(minion);
    }
    this.anchor ??= item;
  }
}
