import type { ResultRow } from "../../extension/webviews/resultsProtocol";
import type { Group } from "./folding";

/** One line or card of the list. `key` is its name for focus, heights and messages. */
export type ListItem =
  | { kind: "group"; key: string; group: Group }
  /** `inGroup`: below the opened group that it belongs to. */
  | { kind: "minion"; key: string; row: ResultRow; inGroup: boolean };

const MINION = "m:";
const GROUP = "g:";

export function minionKey(minion: string): string {
  return MINION + minion;
}

/** The key of a group in the list. */
export function groupItemKey(group: Pick<Group, "key">): string {
  return GROUP + group.key;
}

/** The minion that a key stands for, undefined for a group's. */
export function minionOfKey(key: string): string | undefined {
  return key.startsWith(MINION) ? key.slice(MINION.length) : undefined;
}

export function minionItems(rows: readonly ResultRow[], inGroup: boolean): ListItem[] {
  return rows.map((row) => ({ kind: "minion", key: minionKey(row.minion), row, inGroup }));
}

/** The groups, each opened one followed by its minions. */
export function groupItems(groups: readonly Group[], opened: ReadonlySet<string>): ListItem[] {
  return groups.flatMap((group): ListItem[] => {
    const key = groupItemKey(group);
    const card: ListItem = { kind: "group", key, group };
    return opened.has(group.key) ? [card, ...minionItems(group.rows, true)] : [card];
  });
}

/** The minions that an item is about. */
export function minionsOf(item: ListItem): string[] {
  return item.kind === "group" ? item.group.rows.map(({ minion }) => minion) : [item.row.minion];
}
