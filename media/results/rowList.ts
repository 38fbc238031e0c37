import type { ResultRow, RowKind } from "../../extension/webviews/resultsProtocol";

const collator = new Intl.Collator("en", { numeric: true });

/** All rows of a job and those that the filter lets through, sorted the way people count. */
export class RowList {
  filter = "";
  kind: RowKind | undefined;
  private readonly rows = new Map<string, ResultRow>();
  private sorted: ResultRow[] | undefined;
  private matching: ResultRow[] | undefined;

  replace(rows: readonly ResultRow[]): void {
    this.rows.clear();
    this.update(rows);
  }

  update(rows: readonly ResultRow[]): void {
    for (const row of rows) this.rows.set(row.minion, row);
    this.sorted = undefined;
    this.matching = undefined;
  }

  setFilter(filter: string, kind: RowKind | undefined): void {
    this.filter = filter;
    this.kind = kind;
    this.matching = undefined;
  }

  all(): readonly ResultRow[] {
    this.sorted ??= [...this.rows.values()].sort((a, b) => collator.compare(a.minion, b.minion));
    return this.sorted;
  }

  shown(): readonly ResultRow[] {
    const text = this.filter.trim().toLowerCase();
    this.matching ??= this.all().filter(
      (row) =>
        (this.kind === undefined || row.kind === this.kind) &&
        (text === "" || `${row.minion}\n${row.label}\n${row.text}`.toLowerCase().includes(text)),
    );
    return this.matching;
  }

  counts(): Map<RowKind, number> {
    const counts = new Map<RowKind, number>();
    for (const { kind } of this.rows.values()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    return counts;
  }

  /** Durations of those that have one, ascending, in milliseconds. */
  durations(): number[] {
    return [...this.rows.values()]
      .flatMap(({ durationMs }) => (durationMs === undefined ? [] : [durationMs]))
      .sort((a, b) => a - b);
  }
}
