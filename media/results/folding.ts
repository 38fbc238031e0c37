import type { ResultRow, RowKind } from "../../extension/webviews/resultsProtocol";
import { median } from "./format";

/** Minions whose results are equal. */
export interface Group {
  key: string;
  kind: RowKind;
  label: string;
  explains: boolean;
  /** In the order of the list; never empty. */
  rows: ResultRow[];
  medianMs: number | undefined;
}

/** Folds rows by what they say: the largest group first, what has not ended last. */
export function fold(rows: readonly ResultRow[]): Group[] {
  const groups = new Map<string, Group>();
  for (const row of rows) {
    const key = groupKey(row);
    const group = groups.get(key);
    if (group) group.rows.push(row);
    else {
      const { kind, label, explains = false } = row;
      groups.set(key, { key, kind, label, explains, rows: [row], medianMs: undefined });
    }
  }
  for (const group of groups.values()) group.medianMs = medianOf(group.rows);
  // stable: of equal size, the one that comes first in the list
  return [...groups.values()].sort(
    (a, b) => Number(isOpen(a)) - Number(isOpen(b)) || b.rows.length - a.rows.length,
  );
}

/** Equal for rows that belong together. */
export function groupKey({ kind, label, text, digest }: ResultRow): string {
  if (kind === "running" || kind === "waiting") return kind;
  return `${kind}\n${label}\n${digest ?? text}`;
}

/**
 * The group that the others are compared with: more minions than any other agree on this output.
 * Undefined where there is none, as where each host says something of its own.
 */
export function majorityOf(groups: readonly Group[]): Group | undefined {
  const [first, second] = groups.filter(hasOutput);
  if (!first || first.rows.length < 2) return undefined;
  return second?.rows.length === first.rows.length ? undefined : first;
}

/** Whether the group's text is output of hosts, to be compared, and no explanation of ours. */
export function hasOutput(group: Group): boolean {
  return !group.explains && (group.kind === "succeeded" || group.kind === "failed");
}

/** What has not ended has nothing to show yet. */
export function isOpen({ kind }: Pick<Group, "kind">): boolean {
  return kind === "running" || kind === "waiting";
}

function medianOf(rows: readonly ResultRow[]): number | undefined {
  const durations = rows
    .map(({ durationMs }) => durationMs)
    .filter((durationMs) => durationMs !== undefined);
  return median(durations.sort((a, b) => a - b));
}
