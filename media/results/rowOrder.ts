import type { ResultRow, SortColumn } from "../../extension/webviews/resultsProtocol";
import { KINDS } from "./kinds";

/** By which column the list is sorted, and which way. */
export interface SortOrder {
  by: SortColumn;
  descending: boolean;
}

/** A row with what it is sorted by, worked out once. */
export interface KeyedRow {
  row: ResultRow;
  /** naturalKey of the minion. */
  key: string;
}

const RANKS = new Map(KINDS.map((kind, rank) => [kind, rank]));

/** Compares rows; equal ones stay in the order of their minions' names. */
export function rowComparer({ by, descending }: SortOrder): (a: KeyedRow, b: KeyedRow) => number {
  const compare = COMPARERS[by];
  const sign = descending ? -1 : 1;
  return (a, b) => sign * compare(a, b) || compareTexts(a.key, b.key);
}

const COMPARERS: Record<SortColumn, (a: KeyedRow, b: KeyedRow) => number> = {
  minion: (a, b) => compareTexts(a.key, b.key),
  state: (a, b) => rank(a) - rank(b) || compareTexts(a.row.label, b.row.label),
  result: (a, b) => compareTexts(a.row.text, b.row.text),
  // what has no time yet comes last
  time: (a, b) => (a.row.durationMs ?? Infinity) - (b.row.durationMs ?? Infinity) || 0,
};

function rank({ row }: KeyedRow): number {
  return RANKS.get(row.kind) ?? 0;
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The order after a click on a column's header: ascending, then descending. */
export function nextOrder(order: SortOrder, by: SortColumn): SortOrder {
  return { by, descending: order.by === by && !order.descending };
}

/**
 * A sorted list in which some rows were added or have changed: only those are sorted, and put in between
 * the others. While results arrive, that is all that a frame has time for.
 */
export function sortedAnew(
  sorted: readonly KeyedRow[],
  misplaced: ReadonlySet<KeyedRow>,
  compare: (a: KeyedRow, b: KeyedRow) => number,
): KeyedRow[] {
  const added = [...misplaced].sort(compare);
  const merged: KeyedRow[] = [];
  let next = 0;
  for (const row of sorted) {
    if (misplaced.has(row)) continue;
    for (let other = added[next]; other && compare(other, row) < 0; other = added[++next]) {
      merged.push(other);
    }
    merged.push(row);
  }
  for (const row of added.slice(next)) merged.push(row);
  return merged;
}
