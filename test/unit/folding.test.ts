import { describe, expect, it } from "vitest";
import type { ResultRow } from "../../extension/webviews/resultsProtocol";
import { foldedDiff } from "../../media/results/foldedDiff";
import { fold, majorityOf } from "../../media/results/folding";

function rows(count: number, more: Partial<ResultRow>): ResultRow[] {
  return Array.from({ length: count }, (_, at) => ({
    minion: `${more.digest ?? more.kind ?? ""}${at}`,
    kind: "succeeded",
    label: "exit 0",
    text: "same first line",
    ...more,
  }));
}

describe("fold", () => {
  it("puts equal results together, the largest group first, what runs last", () => {
    const groups = fold([
      ...rows(9, { kind: "running", label: "running" }),
      ...rows(2, { digest: "b", durationMs: 7 }),
      ...rows(3, { digest: "a", durationMs: 5 }),
      ...rows(1, { digest: "a", kind: "failed", label: "exit 1" }),
    ]);
    expect(groups.map(({ kind, rows: { length }, medianMs }) => [kind, length, medianMs])).toEqual([
      ["succeeded", 3, 5],
      ["succeeded", 2, 7],
      ["failed", 1, undefined],
      ["running", 9, undefined],
    ]);
  });

  it("goes by the line that shows where there is no digest", () => {
    const problem = { kind: "unreachable", label: "unreachable", explains: true } as const;
    expect(
      fold([...rows(2, { ...problem, text: "x" }), ...rows(1, { ...problem, text: "y" })]),
    ).toHaveLength(2);
  });
});

describe("majorityOf", () => {
  it("is what more minions agree on than on anything else", () => {
    const groups = fold([...rows(3, { digest: "a" }), ...rows(2, { digest: "b" })]);
    expect(majorityOf(groups)?.rows).toHaveLength(3);
  });

  it("is nothing where all differ, or two are equally many, or only problems are the same", () => {
    expect(
      majorityOf(fold([...rows(1, { digest: "a" }), ...rows(1, { digest: "b" })])),
    ).toBeUndefined();
    expect(
      majorityOf(fold([...rows(2, { digest: "a" }), ...rows(2, { digest: "b" })])),
    ).toBeUndefined();
    const lost = rows(5, { kind: "unreachable", explains: true });
    expect(majorityOf(fold(lost))).toBeUndefined();
    expect(majorityOf(fold([...lost, ...rows(2, { digest: "a" })]))?.rows).toHaveLength(2);
  });
});

describe("foldedDiff", () => {
  const signs = (before: string, after: string): string | undefined =>
    foldedDiff(before, after, 50)
      ?.lines.map(({ sign, text }) => sign + text)
      .join("|");

  it("shows what was replaced, removed and added", () => {
    expect(signs("nginx/1.26.2\n", "nginx/1.24.0\n")).toBe("-nginx/1.26.2|+nginx/1.24.0");
    expect(signs("a\nb\nc\n", "a\nc\n")).toBe(" a|-b| c");
    expect(signs("a\n", "a\nb\n")).toBe(" a|+b");
  });

  it("leaves out what is the same further away", () => {
    const lines = Array.from({ length: 20 }, (_, at) => String(at));
    const other = lines.map((line) => (line === "5" || line === "15" ? "x" : line));
    expect(signs(lines.join("\n"), other.join("\n"))).toBe(" 4|-5|+x| 6| ⋯| 14|-15|+x| 16");
  });

  it("counts the lines that differ, a replaced one once", () => {
    expect(foldedDiff("a\nb\nc", "x\ny\nc", 9)?.changed).toBe(2);
    expect(foldedDiff("a", "x\ny\nz", 9)?.changed).toBe(3);
    expect(foldedDiff("a\n", "a", 9)?.changed).toBe(0);
  });

  it("shows so many lines only, and gives up on what has little in common", () => {
    const numbers = (from: number): string =>
      Array.from({ length: 30 }, (_, at) => String(from + at)).join("\n");
    expect(foldedDiff(numbers(0), numbers(100), 10)).toMatchObject({ changed: 30, leftOut: 50 });
    const long = (mark: string): string =>
      Array.from({ length: 1_000 }, (_, at) => mark + String(at)).join("\n");
    expect(foldedDiff(long("a"), long("b"), 10)).toBeUndefined();
  });

  it("makes control characters visible", () => {
    expect(signs("a\r\n", "a\n")).toBe("-a␍|+a");
  });
});
