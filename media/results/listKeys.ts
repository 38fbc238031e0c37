import type { ListItem } from "./listItems";
import { minionsOf } from "./listItems";
import type { ResultsModel } from "./model";
import { rowForKey } from "./rowKeys";

export interface KeyActions {
  /** Puts the keyboard on an item. */
  moveTo: (index: number) => void;
  toggle: (item: ListItem) => void;
  selected: () => void;
  selectAllShown: () => void;
}

/**
 * The keys of the list: arrows, Home, End and Page keys move, with Shift they select on the way; Right and
 * Left open and close; Space selects; Ctrl+A selects all that are shown; Escape selects none.
 */
export function listKey(
  event: KeyboardEvent,
  model: ResultsModel,
  page: number,
  actions: KeyActions,
): void {
  // keys within an opened result scroll that, they do not move between rows
  if (!(event.target instanceof HTMLElement) || !event.target.dataset["item"]) return;
  const items = model.items();
  const at = model.indexOf(event.target.dataset["item"]) ?? 0;
  const item = items[at];
  if (!item || !act(event, model, item, actions)) {
    const to = rowForKey(event.key, at, items.length, page);
    if (to === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.shiftKey) selectTo(model, item, items[to], actions);
    actions.moveTo(to);
  }
  event.preventDefault();
}

function act(
  event: KeyboardEvent,
  model: ResultsModel,
  item: ListItem,
  actions: KeyActions,
): boolean {
  switch (event.key) {
    case " ":
      model.selection.toggle(item.key, minionsOf(item));
      actions.selected();
      return true;
    case "ArrowRight":
      if (!isOpened(model, item)) actions.toggle(item);
      return true;
    case "ArrowLeft":
      if (isOpened(model, item)) actions.toggle(item);
      return true;
    case "a":
      if (!event.ctrlKey && !event.metaKey) return false;
      actions.selectAllShown();
      return true;
    case "Escape":
      model.selection.clear();
      actions.selected();
      return true;
    default:
      return false;
  }
}

/** Shift with an arrow: the item that it starts from belongs to the range. */
function selectTo(
  model: ResultsModel,
  from: ListItem | undefined,
  to: ListItem | undefined,
  actions: KeyActions,
): void {
  if (!from || !to) return;
  if (minionsOf(from).some((minion) => !model.selection.has(minion))) {
    model.selection.toggle(from.key, minionsOf(from));
  }
  extendTo(model, to);
  actions.selected();
}

/** Selects everything from where the selection began to `item`. */
export function extendTo(model: ResultsModel, item: ListItem): void {
  const items = model.items();
  const byKey = new Map(items.map((other) => [other.key, other]));
  model.selection.extend(
    item.key,
    items.map(({ key }) => key),
    (key) => {
      const between = byKey.get(key);
      return between ? minionsOf(between) : [];
    },
  );
}

export function isOpened(model: ResultsModel, item: ListItem): boolean {
  return item.kind === "group"
    ? model.openGroups.has(item.group.key)
    : model.details.has(item.row.minion);
}
