/** One figure. A row is one line of JSON, and one line of the table. */
export interface BenchRow {
  name: string;
  /** Null where it could not be measured. */
  value: number | null;
  /** "<= 1.3" or ">= 3"; null for a figure that is only told. */
  goal: string | null;
  /** Null where there is no goal or no value. */
  met: boolean | null;
  unit: string;
  /** What the value was made of, or why there is none. */
  details?: string;
}

export interface Figure {
  name: string;
  value: number;
  unit: string;
  details?: string;
}

/** A figure that is good when it is small. */
export function atMost(limit: number, figure: Figure): BenchRow {
  return { ...told(figure), goal: `<= ${limit}`, met: figure.value <= limit };
}

/** A figure that is good when it is large. */
export function atLeast(limit: number, figure: Figure): BenchRow {
  return { ...told(figure), goal: `>= ${limit}`, met: figure.value >= limit };
}

/** A figure without a goal. */
export function told({ name, value, unit, details }: Figure): BenchRow {
  const shown = Number(value.toPrecision(4));
  return { name, value: shown, goal: null, met: null, unit, ...(details && { details }) };
}

export function notMeasured(
  name: string,
  goal: string | null,
  unit: string,
  why: string,
): BenchRow {
  return { name, value: null, goal, met: null, unit, details: `not measured: ${why}` };
}

/** The rows as text for people; ends with a newline. */
export function table(rows: readonly BenchRow[]): string {
  const lines = rows.map((row) => [
    row.name,
    row.value === null ? "-" : String(row.value),
    row.unit,
    row.goal ?? "",
    row.met === null ? "" : row.met ? "met" : "MISSED",
    row.details ?? "",
  ]);
  const cells = [["name", "value", "unit", "goal", "", "details"], ...lines];
  const widths = cells[0]?.map((_, column) =>
    Math.max(...cells.map((line) => line[column]?.length ?? 0)),
  );
  return cells
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths?.[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join("");
}
