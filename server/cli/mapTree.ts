import { countNodes } from "../delegation/delegationMap";
import type { DelegationMapNode } from "../protocol/delegation";

/** Enough to compare with what funcd shows of its key. */
const SHOWN_DIGITS = 12;
/** More hosts without others behind them, side by side, are put into columns where there are any. */
const MOST_LINES = 12;
const GAP = "  ";

/**
 * A map as a tree for people, the beginning of each host's key beside its name. With `columns`, the width of a
 * terminal, many hosts below one are in columns, behind its sub-overlords and without keys.
 */
export function mapTree(nodes: readonly DelegationMapNode[], columns?: number): string {
  const lines: string[] = [];
  const draw = (here: readonly DelegationMapNode[], indent: string, isTop: boolean): void => {
    const leaves = here.filter(({ children }) => children.length === 0);
    const isFolded = columns !== undefined && leaves.length > MOST_LINES;
    const single = isFolded ? here.filter(({ children }) => children.length > 0) : here;
    single.forEach((node, index) => {
      const isLast = !isFolded && index === single.length - 1;
      lines.push(`${isTop ? "" : `${indent}${isLast ? "└─ " : "├─ "}`}${hostText(node)}\n`);
      draw(node.children, isTop ? "" : `${indent}${isLast ? "   " : "│  "}`, false);
    });
    if (!isFolded) return;
    const names = leaves.map(({ name }) => name);
    const room = columns - (isTop ? 0 : indent.length + 3);
    for (const [index, line] of inColumns(names, room).entries()) {
      lines.push(`${isTop ? "" : `${indent}${index === 0 ? "└─ " : "   "}`}${line}\n`);
    }
  };
  draw(nodes, "", true);
  return lines.join("");
}

/** `mid1  660e8edf7811  (3 hosts)`. */
function hostText({ name, identity, children }: DelegationMapNode): string {
  const key = identity === undefined ? "" : `${GAP}${identity.slice(0, SHOWN_DIGITS)}`;
  const count = countNodes(children);
  const behind = count === 0 ? "" : `${GAP}(${count === 1 ? "1 host" : `${count} hosts`})`;
  return `${name}${key}${behind}`;
}

/** From top to bottom, then left to right, as many columns as there is room for. */
function inColumns(names: readonly string[], room: number): string[] {
  const width = names.reduce((most, { length }) => Math.max(most, length), 0) + GAP.length;
  const count = Math.max(1, Math.floor((room + GAP.length) / width));
  const rows = Math.ceil(names.length / count);
  return Array.from({ length: rows }, (_, row) => {
    const line = Array.from({ length: count }, (_cell, column) => names[column * rows + row] ?? "");
    return line
      .map((name) => name.padEnd(width))
      .join("")
      .trimEnd();
  });
}
