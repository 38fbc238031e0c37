import type { ResultRow, RowKind } from "../../extension/webviews/resultsProtocol";
import { naturalKey } from "./naturalKey";
import { parseFilter, type RowFilter } from "./rowFilter";
import { rowComparer, sortedAnew, type KeyedRow, type SortOrder } from "./rowOrder";

/** All rows of a job, and those that filter and search let through, in the chosen order. */
export class RowList {
  filter = "";
  kind: RowKind | undefined;
  order: SortOrder = { by: "minion", descending: false };
  /** Minions whose outputs contain what was searched for; undefined without a search. */
  private found: ReadonlyMap<string, string> | undefined;
  private parsed: RowFilter = parseFilter("");
  private readonly rows = new Map<string, KeyedRow>();
  private readonly kindCounts = new Map<RowKind, number>();
  private sorted: KeyedRow[] = [];
  /** Rows that are not in `sorted` yet, or no longer in their place there. */
  private readonly misplaced = new Set<KeyedRow>();
  private matching: ResultRow[] | undefined;
  private ascending: number[] | undefined;

  get size(): number {
    return this.rows.size;
  }

  /** What the filter's plain words say, to be searched for in outputs. */
  get searchText(): string {
    return this.parsed.text;
  }

  clear(): void {
    this.rows.clear();
    this.kindCounts.clear();
    this.sorted = [];
    this.misplaced.clear();
    this.matching = undefined;
    this.ascending = undefined;
  }

  update(rows: readonly ResultRow[]): void {
    if (rows.length === 0) return;
    const byName = this.order.by === "minion";
    for (const row of rows) {
      const known = this.rows.get(row.minion);
      this.count(row.kind, 1);
      if (known) {
        this.count(known.row.kind, -1);
        known.row = row;
        if (!byName) this.misplaced.add(known);
      } else {
        const added = { row, key: naturalKey(row.minion) };
        this.rows.set(row.minion, added);
        this.misplaced.add(added);
      }
    }
    this.matching = undefined;
    this.ascending = undefined;
  }

  setFilter(filter: string, kind: RowKind | undefined): void {
    this.filter = filter;
    this.kind = kind;
    this.parsed = parseFilter(filter);
    this.matching = undefined;
  }

  setOrder(order: SortOrder): void {
    this.order = order;
    this.sorted = [];
    for (const row of this.rows.values()) this.misplaced.add(row);
    this.matching = undefined;
  }

  /** Shows only these minions, whatever the filter's plain words say; undefined shows all again. */
  setFound(found: ReadonlyMap<string, string> | undefined): void {
    this.found = found;
    this.matching = undefined;
  }

  /** Every row, in no order that matters. */
  all(): readonly ResultRow[] {
    return Array.from(this.rows.values(), ({ row }) => row);
  }

  get(minion: string): ResultRow | undefined {
    return this.rows.get(minion)?.row;
  }

  shown(): readonly ResultRow[] {
    this.matching ??= this.filtered();
    return this.matching;
  }

  counts(): ReadonlyMap<RowKind, number> {
    return this.kindCounts;
  }

  /** Durations of those that have one, ascending, in milliseconds. */
  durations(): readonly number[] {
    this.ascending ??= Array.from(this.rows.values(), ({ row }) => row.durationMs)
      .filter((durationMs) => durationMs !== undefined)
      .sort((a, b) => a - b);
    return this.ascending;
  }

  private filtered(): ResultRow[] {
    if (this.misplaced.size > 0) {
      this.sorted = sortedAnew(this.sorted, this.misplaced, rowComparer(this.order));
      this.misplaced.clear();
    }
    const { kind, found, parsed } = this;
    const rows: ResultRow[] = [];
    for (const { row } of this.sorted) {
      if (kind !== undefined && row.kind !== kind) continue;
      if (!parsed.fields(row)) continue;
      if (found ? found.has(row.minion) : parsed.words(row)) rows.push(row);
    }
    return rows;
  }

  private count(kind: RowKind, change: number): void {
    const count = (this.kindCounts.get(kind) ?? 0) + change;
    if (count > 0) this.kindCounts.set(kind, count);
    else this.kindCounts.delete(kind);
  }
}
