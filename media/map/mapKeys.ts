import type { MapModel } from "./mapModel";

/** What a key does in the list, and on the drawing, which are the same tree. */
export type KeyMove =
  | { kind: "select"; place: number }
  | { kind: "expand"; place: number; expanded: boolean }
  | undefined;

/** `page`: rows that a page has. */
export function keyMove(model: MapModel, key: string, page: number): KeyMove {
  const { tree, layout, selected, expanded } = model;
  const { order } = layout;
  const at = order.indexOf(selected);
  const row = (index: number): KeyMove => {
    const place = order[Math.max(0, Math.min(order.length - 1, index))];
    return place === undefined ? undefined : { kind: "select", place };
  };
  switch (key) {
    case "ArrowDown":
      return row(at + 1);
    case "ArrowUp":
      return row(at - 1);
    case "PageDown":
      return row(at + page);
    case "PageUp":
      return row(at - page);
    case "Home":
      return row(0);
    case "End":
      return row(order.length - 1);
    case "ArrowRight":
      if (!tree.isOverlord(selected)) return undefined;
      if (!expanded.has(selected)) return { kind: "expand", place: selected, expanded: true };
      return row(at + 1);
    case "ArrowLeft":
      if (selected === 0) return undefined;
      if (tree.isOverlord(selected) && expanded.has(selected)) {
        return { kind: "expand", place: selected, expanded: false };
      }
      return { kind: "select", place: tree.parentOf(selected) };
    case "Enter":
    case " ":
      if (!tree.isOverlord(selected)) return undefined;
      return { kind: "expand", place: selected, expanded: !expanded.has(selected) };
    default:
      return undefined;
  }
}

/** Finds hosts by the first letters of their names while one types. */
export class TypeAhead {
  private typed = "";
  private lastMs = 0;

  /** The next host that shows whose name begins with what was typed within a second. */
  type(model: MapModel, letter: string, nowMs: number): number | undefined {
    const again = nowMs - this.lastMs > 1_000;
    this.typed = again ? letter.toLowerCase() : this.typed + letter.toLowerCase();
    this.lastMs = nowMs;
    const { order } = model.layout;
    const at = order.indexOf(model.selected);
    // the same letter again goes on; more letters may stay where one is
    const from = this.typed.length === 1 ? at + 1 : at;
    const around = [...order.slice(from), ...order.slice(0, from)];
    return around.find((place) => model.tree.nameOf(place).toLowerCase().startsWith(this.typed));
  }
}
