import type { DelegationMapNode } from "../protocol/delegation";

/** Enough to compare with what funcd shows of its key. */
const SHOWN_DIGITS = 12;

/** A map as a tree for people, the beginning of each host's key beside its name. */
export function mapTree(nodes: readonly DelegationMapNode[]): string {
  const lines: string[] = [];
  const draw = (below: readonly DelegationMapNode[], indent: string): void => {
    below.forEach(({ name, identity, children }, index) => {
      const isLast = index === below.length - 1;
      const key = identity === undefined ? "" : `  ${identity.slice(0, SHOWN_DIGITS)}`;
      lines.push(`${indent}${isLast ? "└─ " : "├─ "}${name}${key}\n`);
      draw(children, `${indent}${isLast ? "   " : "│  "}`);
    });
  };
  for (const { name, identity, children } of nodes) {
    lines.push(`${name}${identity === undefined ? "" : `  ${identity.slice(0, SHOWN_DIGITS)}`}\n`);
    draw(children, "");
  }
  return lines.join("");
}
