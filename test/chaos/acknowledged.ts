import { FINAL_STATES, type JobProgress, type MinionResult } from "../../server/protocol/jobs";

/** Every result that a window was told is final, and whether it was ever told another. */
export class Acknowledged {
  /** What was told, by job, then by minion and attempt. */
  readonly #told = new Map<string, Map<string, string>>();
  readonly contradictions: string[] = [];

  constructor(private readonly window: string) {}

  take({ summary, results }: JobProgress): void {
    const told = this.#told.get(summary.id) ?? new Map<string, string>();
    this.#told.set(summary.id, told);
    for (const result of results) {
      if (!FINAL_STATES.has(result.state)) continue;
      const key = keyOf(result);
      const said = sayingOf(result);
      const before = told.get(key);
      if (before !== undefined && before !== said) {
        this.contradictions.push(
          `${this.window}: ${summary.id} ${key} was told as ${before}, then as ${said}`,
        );
      }
      told.set(key, said);
    }
  }

  get count(): number {
    let sum = 0;
    for (const told of this.#told.values()) sum += told.size;
    return sum;
  }

  /** What of a job was told and is missing or different among what the overlord has now. */
  missing(jobId: string, results: readonly MinionResult[]): string[] {
    const kept = new Map(results.map((result) => [keyOf(result), sayingOf(result)]));
    return [...(this.#told.get(jobId) ?? [])].flatMap(([key, said]) => {
      const now = kept.get(key);
      if (now === said) return [];
      return [`${this.window}: ${jobId} ${key} was told as ${said}, and is ${now ?? "missing"}`];
    });
  }

  forget(jobId: string): void {
    this.#told.delete(jobId);
  }
}

function keyOf({ minion, attempt = 1 }: MinionResult): string {
  return `${minion}#${attempt}`;
}

function sayingOf({ state, digest = "", minionJobId = "" }: MinionResult): string {
  return `${state} ${digest} ${minionJobId}`.trim();
}
