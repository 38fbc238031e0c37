import type { ReplayStep, ResultRow } from "../../extension/webviews/resultsProtocol";

/** A job's life, to be looked at as it stood at any point in time. */
export class Replay {
  problem: string | undefined;
  complete = false;
  /** The point in time that is shown. */
  atMs = 0;
  private steps: ReplayStep[] = [];

  /** `startMs`: when the job began; `rows`: how it stands now. */
  constructor(
    readonly startMs: number,
    private readonly rows: () => readonly ResultRow[],
  ) {}

  add(steps: readonly ReplayStep[], complete: boolean, problem: string | undefined): void {
    for (const step of steps) this.steps.push(step);
    this.problem = problem;
    if (!complete) return;
    this.steps.sort((a, b) => a.atMs - b.atMs); // stable: of one moment, as it happened
    this.complete = true;
    this.atMs = this.endMs;
  }

  get endMs(): number {
    return Math.max(this.startMs, this.steps.at(-1)?.atMs ?? this.startMs);
  }

  /** Nothing happened at several moments. */
  get isEmpty(): boolean {
    return this.complete && this.endMs === this.startMs;
  }

  /** All rows as they stood then: what was final already with its result, the others as they were. */
  rowsAt(): ResultRow[] {
    const then = new Map<string, ReplayStep>();
    const last = new Map<string, ReplayStep>();
    for (const step of this.steps) {
      if (step.atMs <= this.atMs) then.set(step.minion, step);
      last.set(step.minion, step);
    }
    return this.rows().map((row) => {
      const step = then.get(row.minion);
      if (step !== undefined && step === last.get(row.minion)) return row;
      const { kind = "waiting", label = "queued" } = step ?? {};
      return { minion: row.minion, kind, label: label === "queued" ? "waiting" : label, text: "" };
    });
  }

  /** The next or last moment at which something happened; the end where there is none. */
  stepFrom(direction: 1 | -1): number {
    const { atMs, steps } = this;
    if (direction > 0) return steps.find((step) => step.atMs > atMs)?.atMs ?? this.endMs;
    return steps.findLast((step) => step.atMs < atMs)?.atMs ?? this.startMs;
  }
}
