/**
 * The memory that the value of an answer takes. Whoever gives one with a call says when the value is no
 * longer in use; until then it counts against what all answers together may take.
 */
export class AnswerMemory {
  #release?: () => void;

  /** An answer has come, and an earlier one is no longer in use. */
  hold(release: () => void): void {
    this.release();
    this.#release = release;
  }

  /** May be called at any time, and more than once. */
  release(): void {
    const release = this.#release;
    this.#release = undefined;
    release?.();
  }
}
