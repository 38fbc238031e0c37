import { FINAL_STATES, isFailedCommand, type MinionResult } from "../../protocol/jobs";
import type { Ending } from "./outcome";

/** Whether a result counts towards `maxErrors`: all but success, of commands also an exit status other than 0. */
export function isFailure(result: Omit<MinionResult, "minion">): boolean {
  const { state } = result;
  if (!FINAL_STATES.has(state) || state === "skipped") return false;
  return state !== "succeeded" || isFailedCommand(result);
}

/** Ends the calling of more minions once more of them have failed than a job allows. */
export class ErrorLimit {
  readonly #controller = new AbortController();
  #failed: number;

  /** `failed`: those of the run that had failed before. Without `most` any number may. */
  constructor(
    readonly most: number | undefined,
    failed = 0,
  ) {
    this.#failed = failed;
    this.#judge();
  }

  /** Aborted once too many have failed. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** How many more may fail; undefined for any number. */
  get left(): number | undefined {
    return this.most === undefined ? undefined : Math.max(0, this.most - this.#failed);
  }

  get isPassed(): boolean {
    return this.signal.aborted;
  }

  /** A minion of the run has its final result. */
  ended(result: Omit<MinionResult, "minion">): void {
    if (!isFailure(result)) return;
    this.#failed++;
    this.#judge();
  }

  /** Ends it whatever has failed here: the job is part of one whose limit has passed. */
  pass(): void {
    this.#controller.abort();
  }

  /** For a minion that is not called because of it. */
  skipped({ name }: { name: string }): Ending {
    return {
      state: "skipped",
      error: {
        type: "skipped",
        message: `${name} was not called: ${this.#why()}.`,
        trace: "",
        nextStep: "See why they failed, then call those again that were skipped.",
      },
    };
  }

  #why(): string {
    const { most } = this;
    if (most === undefined || this.#failed <= most) return "too many had failed elsewhere by then";
    const allowed = most === 0 ? "none may" : `more than the ${most} that may`;
    return `${this.#failed} had failed by then, ${allowed}`;
  }

  #judge(): void {
    if (this.most !== undefined && this.#failed > this.most) this.#controller.abort();
  }
}
