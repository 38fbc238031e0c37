/** The answer to one step of several: a value, one step back, or undefined for giving up. */
export type Answer<T> = T | typeof BACK | undefined;

export const BACK = Symbol("back");

/** A step asks one question and keeps the answer itself. */
export type Step = (place: StepPlace) => Promise<Answer<unknown>>;

export interface StepPlace {
  /** Which question of how many it is; undefined for one that stands beside them. */
  step?: number;
  totalSteps?: number;
  /** Whether there is a step to go back to. */
  canGoBack: boolean;
}

/**
 * Asks the steps in turn; `steps` is called before each, since later steps depend on earlier
 * answers. True where all were answered, false where the user gave up.
 */
export async function runSteps(steps: () => readonly Step[]): Promise<boolean> {
  let position = 0;
  for (;;) {
    const current = steps();
    const step = current[position];
    if (!step) return true;
    const place = { step: position + 1, totalSteps: current.length, canGoBack: position > 0 };
    const answer = await step(place);
    if (answer === undefined) return false;
    position += answer === BACK ? -1 : 1;
  }
}
