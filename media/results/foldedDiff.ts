import { diffArrays } from "diff";

/** One line of a difference: of both, only of the majority, or only of the other. */
export interface DiffLine {
  sign: " " | "-" | "+";
  text: string;
}

/** What distinguishes an output from the majority's. */
export interface FoldedDiff {
  /** Lines that differ; one that was replaced counts once. */
  changed: number;
  lines: DiffLine[];
  /** Lines that were left out at the end of `lines`. */
  leftOut: number;
}

/** Beyond it the two have so little in common that their difference tells nothing. */
const MAX_EDITS = 400;
const MAX_LINES = 5_000;
const CONTEXT = 1;

/**
 * The lines in which `other` differs from `majority`, with one line around them, at most `maxLines`.
 * Undefined where the two are too long or too different.
 */
export function foldedDiff(
  majority: string,
  other: string,
  maxLines: number,
): FoldedDiff | undefined {
  const before = linesOf(majority);
  const after = linesOf(other);
  if (before.length > MAX_LINES || after.length > MAX_LINES) return undefined;
  const changes = diffArrays(before, after, { maxEditLength: MAX_EDITS });
  if (!changes) return undefined;
  const lines: DiffLine[] = [];
  let changed = 0;
  let removed = 0;
  changes.forEach((change, at) => {
    if (change.added || change.removed) {
      const sign = change.added ? "+" : "-";
      lines.push(...change.value.map((text) => ({ sign, text: visible(text) }) as const));
      // a run of removed lines and the added ones behind it are one replacement
      if (change.removed) changed += removed = change.count;
      else changed += Math.max(0, change.count - removed);
      return;
    }
    removed = 0;
    lines.push(...context(change.value, at === 0, at === changes.length - 1));
  });
  return {
    changed,
    lines: lines.slice(0, maxLines),
    leftOut: Math.max(0, lines.length - maxLines),
  };
}

/** Of what both have, the lines next to a change; a line "⋯" stands for what is between. */
function context(lines: readonly string[], isFirst: boolean, isLast: boolean): DiffLine[] {
  const head = isFirst ? [] : lines.slice(0, CONTEXT);
  const tail = isLast ? [] : lines.slice(Math.max(head.length, lines.length - CONTEXT));
  const gap = !isFirst && !isLast && lines.length > head.length + tail.length ? ["⋯"] : [];
  return [...head, ...gap, ...tail].map((text) => ({ sign: " ", text: visible(text) }));
}

function linesOf(text: string): string[] {
  return text.replace(/\n$/, "").split("\n");
}

/** Control characters, which two lines may differ in alone, as their pictures. */
function visible(text: string): string {
  return text.replace(/[\x00-\x08\x0b-\x1f]/g, (char) =>
    String.fromCharCode(0x2400 + char.charCodeAt(0)),
  );
}
