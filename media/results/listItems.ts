import type { ResultRow } from "../../extension/webviews/resultsProtocol";
import type { Group } from "./folding";

/** One line or card of the list. `key` is its name for focus, heights and messages. */
export type ListItem =
  | { kind: "group"; key: string; group: Group }
  /** `place`: alone, or below the opened group that it belongs to, as its last one or not. */
  | { kind: "minion"; key: string; row: ResultRow; place: MinionPlace };

export type MinionPlace = "alone" | "in-group" | "in-group last";

const MINION = "m:";
const GROUP = "g:";

export function minionKey(minion: string): string {
  return MINION + minion;
}

/** The key of a group in the list. */
export function groupItemKey(group: Pick<Group, "key">): string {
  return GROUP + group.key;
}

export function minionItems(
  rows: readonly ResultRow[],
  place: MinionPlace,
): Extract<ListItem, { kind: "minion" }>[] {
  return rows.map((row) => ({ kind: "minion", key: minionKey(row.minion), row, place }));
}

/** The groups, each opened one followed by its minions. */
export function groupItems(groups: readonly Group[], opened: ReadonlySet<string>): ListItem[] {
  return groups.flatMap((group): ListItem[] => {
    const key = groupItemKey(group);
    const card: ListItem = { kind: "group", key, group };
    if (!opened.has(group.key)) return [card];
    const minions = minionItems(group.rows, "in-group");
    const last = minions.at(-1);
    if (last) last.place = "in-group last";
    return [card, ...minions];
  });
}

/** The minions that an item is about. */
export function minionsOf(item: ListItem): string[] {
  return item.kind === "group" ? item.group.rows.map(({ minion }) => minion) : [item.row.minion];
}
